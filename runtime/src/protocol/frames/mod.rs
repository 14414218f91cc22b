//! The frames that there are.

mod delimited;
mod fixed;
mod length_prefixed;
mod line;
mod resp;
mod search;

pub use delimited::Delimited;
pub use fixed::Fixed;
pub use length_prefixed::{LengthPrefixed, LittleEndian, Prefix};
pub use line::Line;
pub use resp::Resp;
