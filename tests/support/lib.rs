//! What the integration tests share: clients, child processes, places for sockets, handlers that hang on strings, and
//! counts of what must not leak.
#![allow(clippy::missing_panics_doc, clippy::missing_errors_doc, reason = "a test fails by a panic")]

mod children;
mod clients;
mod conversations;
mod counts;
mod hostile;
mod interruptions;
mod lines;
mod messages;
mod noise;
mod places;
mod processes;
mod programs;
mod scripted;
mod stage;

pub use children::{ChildProcess, kill};
pub use clients::{Stream, ask, ask_packet, connect, talk};
pub use conversations::Conversation;
pub use counts::{children, descriptors, sleeps, this_thread, threads, wait_until};
pub use hostile::{peak_memory, send_and_end, send_and_wait};
pub use interruptions::interrupt;
pub use messages::{Event, decode};
pub use noise::Noise;
pub use places::Place;
pub use processes::{Server, run, serves};
pub use programs::{Ended, Program, executable};
pub use scripted::{Fault, Script, Scripted};
pub use stage::{Puppet, Stage, Strings, end_of};
