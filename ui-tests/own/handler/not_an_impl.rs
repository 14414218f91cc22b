#![allow(unused)] // 4 mistakes

use socketserver::handler;

#[handler]
struct Struct;

#[handler]
pub fn function() {}

#[handler]
trait Trait {}

#[handler]
#[derive(Clone)]
pub(crate) enum Enum {}

fn main() {}
