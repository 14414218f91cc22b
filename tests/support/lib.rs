//! What the integration tests share: clients, child processes, places for sockets, and counts of what must not leak.
#![allow(clippy::missing_panics_doc, clippy::missing_errors_doc, reason = "a test fails by a panic")]

mod children;
mod clients;
mod conversations;
mod counts;
mod hostile;
mod lines;
mod messages;
mod noise;
mod places;
mod processes;
mod programs;

pub use children::ChildProcess;
pub use clients::{Stream, ask, ask_packet, connect};
pub use conversations::Conversation;
pub use counts::{children, descriptors, sleeps, this_thread, threads, wait_until};
pub use hostile::{peak_memory, send_and_end, send_and_wait};
pub use messages::{Event, decode};
pub use noise::Noise;
pub use places::Place;
pub use processes::{Server, run, serves};
pub use programs::{Ended, Program, executable};
