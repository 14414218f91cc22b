//! The command `help`.

use std::io;

use super::answer::Answer;
use super::argument::Shape;
use super::reply_value::ReplyValue;

/// What is shown of one command.
#[derive(Debug)]
pub struct Entry {
    names: &'static [&'static str],
    arguments: Vec<(&'static str, Shape)>,
    text: &'static str,
}

/// A line for each command, as in `SET KEY VALUE...  Stores VALUE under KEY.`
pub(super) fn show(entries: &[Entry], answer: &mut Answer<'_>) -> io::Result<()> {
    let usages: Vec<_> = entries.iter().map(Entry::usage).collect();
    let widest = usages.iter().map(|usage| usage.chars().count()).max().unwrap_or_default();
    answer.value(ReplyValue::List(entries.len()))?;
    entries.iter().zip(usages).try_for_each(|(entry, usage)| match entry.text {
        "" => answer.message(usage.as_bytes()),
        text => answer.message_fmt(format_args!("{usage:widest$}  {text}")),
    })
}

/// What `help help` shows. In the list it would be the one line that its reader knows.
pub(super) fn own() -> Entry {
    Entry::new(&["help"], "Shows the commands, or the one.").argument("command", Shape::Optional)
}

impl Entry {
    /// A command by its names, with the first paragraph of its documentation.
    pub fn new(names: &'static [&'static str], text: &'static str) -> Self {
        Self { names, arguments: Vec::new(), text }
    }

    /// Its next argument.
    #[must_use]
    pub fn argument(mut self, name: &'static str, shape: Shape) -> Self {
        self.arguments.push((name, shape));
        self
    }

    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        self.names.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(name))
    }

    fn usage(&self) -> String {
        let mut usage = self.names.join("|").to_uppercase();
        for (name, shape) in &self.arguments {
            let (before, after) = match shape {
                Shape::None => continue,
                Shape::Required => (" ", ""),
                Shape::Optional => (" [", "]"),
                Shape::Several => (" ", "..."),
            };
            usage.extend([before, &name.to_uppercase(), after]);
        }
        usage
    }
}
