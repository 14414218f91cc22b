//! Arguments of which there is at least one.

use std::ops::Deref;
use std::vec;

/// All arguments that remain, of which there has to be one; it derefs to a slice. A [`Vec`] may be empty. Both may be
/// of pairs, each of which is two arguments: `OneOrMore<(String, u32)>`.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use socketserver::{OneOrMore, handler, socket_server};
///
/// #[socket_server(tcp, threading)]
/// struct Calculator;
///
/// #[handler]
/// impl Calculator {
///     /// `max 3 7 5`; `max` alone is an error: `numbers` is missing.
///     #[command]
///     fn max(&self, numbers: OneOrMore<i64>) -> Option<i64> {
///         numbers.into_iter().max()
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OneOrMore<A>(pub(super) Vec<A>);

impl<A> Deref for OneOrMore<A> {
    type Target = [A];

    fn deref(&self) -> &[A] {
        &self.0
    }
}

impl<A> IntoIterator for OneOrMore<A> {
    type Item = A;
    type IntoIter = vec::IntoIter<A>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
