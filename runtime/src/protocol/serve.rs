//! The loop over a request's messages.

use std::fmt;
use std::io::{self, Write};
use std::slice;

use crate::address::Address;
use crate::error::BoxError;
use crate::extract::{Parts, Whole};
use crate::handler::RequestHandler;
use crate::request::{Life as _, Request as _};
use crate::shutdown::ShutdownHandle;

use super::answer::Answer;
use super::command::{CommandFrame, Name};
use super::empty;
use super::error::{CommandError, CommandErrorKind};
use super::frame::{Frame, FrameError, MessageOptions};
use super::help::{self, Entry};
use super::message::{Failure, Message};
use super::reply::Reply;

/// Runs `on_command` on each command until the peer has no more to say. It gets the name in lower case.
///
/// # Errors
///
/// As [`messages`].
pub fn commands<F: CommandFrame, S: RequestHandler, Session>(
    session: &mut Session,
    parts: &mut Parts<'_, S>,
    mut on_command: impl FnMut(&mut Session, &[u8], &mut Message<'_, '_>, &mut Turn<'_, S>) -> Result<(), Failure>,
    on_error: impl FnMut(&mut Session, &CommandError, &mut Turn<'_, S>) -> Result<(), Failure>,
) -> Result<(), BoxError> {
    let on_message = |session: &mut Session, message: &[u8], turn: &mut Turn<'_, S>| {
        let mut words = F::words(message);
        let mut message = Message::of_words(message, &mut words);
        let name = Name::of(message.name());
        on_command(session, name.as_bytes(), &mut message, turn)
    };
    serve::<F, S, Session>(session, parts, Some(F::refuse), on_message, on_error)
}

/// Runs `on_message` on each message until the peer has no more to say.
///
/// # Errors
///
/// The connection's, those of a hook's argument, and a final error of the frame.
pub fn messages<F: Frame, S: RequestHandler, Session>(
    session: &mut Session,
    parts: &mut Parts<'_, S>,
    mut on_message: impl FnMut(&mut Session, &mut Message<'_, '_>, &mut Turn<'_, S>) -> Result<(), Failure>,
    on_error: impl FnMut(&mut Session, &CommandError, &mut Turn<'_, S>) -> Result<(), Failure>,
) -> Result<(), BoxError> {
    let on_message = |session: &mut Session, message: &[u8], turn: &mut Turn<'_, S>| {
        on_message(session, &mut Message::whole(message), turn)
    };
    serve::<F, S, Session>(session, parts, None, on_message, on_error)
}

/// How a frame tells the peer of an error.
type Refuse = fn(&CommandError, &mut Answer<'_>) -> io::Result<()>;

fn serve<F: Frame, S: RequestHandler, Session>(
    session: &mut Session,
    parts: &mut Parts<'_, S>,
    refuse: Option<Refuse>,
    mut on_message: impl FnMut(&mut Session, &[u8], &mut Turn<'_, S>) -> Result<(), Failure>,
    mut on_error: impl FnMut(&mut Session, &CommandError, &mut Turn<'_, S>) -> Result<(), Failure>,
) -> Result<(), BoxError> {
    let Whole { service, request, peer, shutdown } = parts.whole();
    let options = request.reader().options();
    let mut frame = F::new(&options);
    let mut framed = Vec::new();
    // The message is copied out of the reader, which thereby can be lent to the handler.
    let mut message = Vec::new();
    loop {
        empty(&mut message);
        empty(&mut framed);
        // So that what times out from here on is the wait for a message, not the replies.
        if request.reader().is_empty() {
            request.writer().flush()?;
        }
        let unframed = match request.reader().next_message(&mut frame) {
            Ok(None) => return Ok(()),
            Ok(Some(bytes)) => {
                message.extend_from_slice(bytes);
                None
            }
            Err(error) => {
                // A peer that has no more to say, and leaves it to the server to end the connection.
                if error.kind() == io::ErrorKind::TimedOut && request.reader().is_empty() {
                    return Ok(());
                }
                Some(FrameError::from_io(error)?)
            }
        };
        let mut turn = Turn {
            service,
            request: &mut *request,
            peer,
            shutdown,
            options,
            frame: &frame,
            refuse,
            framed: &mut framed,
            command: "",
            closes: false,
        };
        let handled = match unframed {
            None => on_message(session, &message, &mut turn),
            Some(error) => Err(Failure::Refused(CommandError::frame(error))),
        };
        match handled {
            Ok(()) => {}
            Err(Failure::Ended(error)) => return Err(error),
            Err(Failure::Unanswered) => unreachable!("a message is no answer to an error"),
            Err(Failure::Refused(error)) => {
                let error = error.in_command(turn.command);
                // A command that failed amid its input leaves no place where the next one begins.
                let is_lost = error.kind() == CommandErrorKind::Failed && turn.request.reader().has_failed();
                if is_lost {
                    return Err(error.into_failure());
                }
                match on_error(session, &error, &mut turn) {
                    Ok(()) if error.ends_connection() => return Err(error.into_failure()),
                    Ok(()) => {}
                    Err(Failure::Unanswered) => return Err(error.into_failure()),
                    Err(Failure::Refused(later)) => return Err(later.into_failure()),
                    Err(Failure::Ended(later)) => return Err(later),
                }
            }
        }
        if turn.closes {
            return Ok(());
        }
        request.settle();
    }
}

/// One message and what it is answered with.
pub struct Turn<'t, S: RequestHandler> {
    service: &'t S,
    request: &'t mut S::Request,
    peer: &'t Address,
    shutdown: &'t ShutdownHandle,
    options: MessageOptions,
    frame: &'t dyn Frame,
    refuse: Option<Refuse>,
    framed: &'t mut Vec<u8>,
    command: &'static str,
    closes: bool,
}

impl<S: RequestHandler> Turn<'_, S> {
    /// The message is this command.
    pub fn begin(&mut self, command: &'static str) {
        self.command = command;
    }

    /// What the handler's other arguments are taken from.
    pub fn parts(&mut self) -> Parts<'_, S> {
        Parts::new(self.service, self.request, self.peer, self.shutdown)
    }

    /// Answers with what the handler returned.
    ///
    /// # Errors
    ///
    /// The handler's, or the connection's.
    pub fn reply<R: Reply>(&mut self, reply: R) -> Result<(), Failure> {
        self.answer(|answer| reply.reply(answer))
    }

    /// Whether the option `help` is set.
    pub fn has_help(&self) -> bool {
        self.options.help
    }

    /// Answers the command `help`: with all commands, or the one that it names.
    ///
    /// # Errors
    ///
    /// The connection's, or that there is no such command.
    pub fn help(&mut self, entries: &[Entry], message: &mut Message<'_, '_>) -> Result<(), Failure> {
        self.begin("help");
        let named = message.next_word();
        message.end()?;
        match named {
            None => self.answer(|answer| help::show(entries, answer)),
            Some(name) => {
                let own = help::own();
                let entry = entries.iter().chain([&own]).find(|entry| entry.is_called(name));
                let entry = entry.ok_or_else(|| Failure::Refused(CommandError::unknown(name)))?;
                self.answer(|answer| help::show(slice::from_ref(entry), answer))
            }
        }
    }

    fn answer(&mut self, write: impl FnOnce(&mut Answer<'_>) -> io::Result<()>) -> Result<(), Failure> {
        let mut answer = Answer::new(self.request.writer(), self.frame, !S::Request::IS_CONNECTION, self.framed);
        write(&mut answer).map_err(|error| Failure::Ended(error.into()))?;
        let outcome = answer.into_outcome();
        self.closes |= outcome.closes;
        match outcome.failure {
            None => Ok(()),
            Some(error) => Err(Failure::Refused(CommandError::failed(error))),
        }
    }
}

impl<S: RequestHandler> fmt::Debug for Turn<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("peer", &self.peer).field("command", &self.command).finish_non_exhaustive()
    }
}

/// What is done about an error where there is no `#[on_error]`: the peer of a command is told, and a `#[message]`
/// fails.
///
/// # Errors
///
/// The connection's, or that there is nothing to tell the peer.
pub fn refuse<S: RequestHandler, Session>(
    _: &mut Session,
    error: &CommandError,
    turn: &mut Turn<'_, S>,
) -> Result<(), Failure> {
    let refuse = turn.refuse.ok_or(Failure::Unanswered)?;
    turn.answer(|answer| refuse(error, answer))
}
