//! Sends mail to the example `smtp`, with `lettre` and by hand.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;
use lettre::{Message, SmtpTransport, Transport};
use socketserver::Address;
use support::{Noise, Place, Program, peak_memory, send_and_end, send_and_wait};

/// A running sink and its maildir.
struct Sink {
    program: Program,
    address: Address,
    maildir: Place,
}

impl Sink {
    fn start(limits: &[&str]) -> Self {
        let maildir = Place::new();
        let directory = maildir.directory().to_str().unwrap().to_owned();
        let arguments = [&["--address", "127.0.0.1:0", "--maildir", &directory], limits].concat();
        let mut program = Program::start("smtp", &arguments);
        let address = program.address();
        Self { program, address, maildir }
    }

    fn send(&self, message: &Message) -> Result<Response, Error> {
        self.transport().send(message)
    }

    /// The bytes as they are, but for dots at the beginning of a line.
    fn send_raw(&self, mail: &[u8]) -> Result<Response, Error> {
        let (bob, ann) = ("bob@example.com".parse().unwrap(), "ann@example.com".parse().unwrap());
        self.transport().send_raw(&Envelope::new(Some(bob), vec![ann]).unwrap(), mail)
    }

    fn transport(&self) -> SmtpTransport {
        SmtpTransport::builder_dangerous("127.0.0.1").port(self.address.port().unwrap()).build()
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut client = Client(BufReader::new(stream));
        assert_eq!(client.reply(), "220 localhost ESMTP mail sink");
        client
    }

    /// The mails in `new`, in any order.
    fn mails(&self) -> Vec<String> {
        let files = fs::read_dir(self.maildir.path("new")).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    fn drafts(&self) -> usize {
        fs::read_dir(self.maildir.path("tmp")).unwrap().count()
    }
}

/// One that speaks SMTP by hand.
struct Client(BufReader<TcpStream>);

impl Client {
    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The next line, which is a reply or a part of one.
    fn reply(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("no whole line: {line:?}")).to_owned()
    }

    fn code(&mut self, text: &str) -> u16 {
        self.send(text);
        self.reply()[..3].parse().unwrap()
    }

    /// Up to the reply to DATA.
    fn begin_mail(&mut self) {
        self.send("HELO me\r\nMAIL FROM:<bob@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n");
        let codes = [(); 4].map(|()| self.reply()[..3].to_owned());
        assert_eq!(codes, ["250", "250", "250", "354"]);
    }
}

fn mailbox(user: &str) -> Mailbox {
    format!("{user}@example.com").parse().unwrap()
}

fn message(text: &str) -> Message {
    let builder = Message::builder().from(mailbox("bob")).to(mailbox("ann")).cc(mailbox("cay"));
    builder.subject("Grüße").singlepart(SinglePart::plain(text.to_owned())).unwrap()
}

/// As it is kept: with the ends of line of a file.
fn text(message: &Message) -> String {
    String::from_utf8(message.formatted()).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_mail_is_kept_as_it_was_sent() {
    let mut sink = Sink::start(&[]);
    for body in ["hello", "", ".\r\n..\r\n.x\r\n", &"straße ".repeat(1_000), &"line\r\n".repeat(20_000)] {
        let message = message(body);
        assert!(sink.send(&message).unwrap().is_positive());
        sink.program.logged("from <bob@example.com> to ann@example.com, cay@example.com: ");
        let [mail] = <[String; 1]>::try_from(sink.mails()).unwrap();
        let (head, rest) = mail.split_at("Return-Path: <bob@example.com>\n".len());
        assert_eq!(head, "Return-Path: <bob@example.com>\n");
        let rest = rest.strip_prefix("Delivered-To: ann@example.com, cay@example.com\n").unwrap();
        assert_eq!(rest.trim_end(), text(&message).trim_end());
        assert_eq!(sink.drafts(), 0);
        fs::remove_dir_all(sink.maildir.path("new")).unwrap();
        fs::create_dir(sink.maildir.path("new")).unwrap();
    }
    assert!(sink.program.stop().output.ends_with("drained; connections: 5\n"));
}

#[test]
fn mails_that_come_at_once_have_names_of_their_own() {
    let sink = Sink::start(&["--max-connections", "4"]);
    thread::scope(|scope| {
        for sender in 0..8 {
            let transport = sink.transport();
            scope.spawn(move || {
                for number in 0..10 {
                    transport.send(&message(&format!("{number} of {sender}"))).unwrap();
                }
            });
        }
    });
    let mails = sink.mails();
    assert_eq!(mails.len(), 80);
    let bodies: BTreeSet<_> = mails.iter().filter_map(|mail| mail.trim_end().lines().last()).collect();
    assert_eq!(bodies.len(), 80);
    assert_eq!(sink.drafts(), 0);
    sink.program.stop();
}

#[test]
fn a_mail_that_is_too_long_is_refused_and_the_next_one_taken() {
    let sink = Sink::start(&["--max-mail", "2000"]);
    let error = sink.send(&message(&"long line\r\n".repeat(1_000))).unwrap_err();
    assert_eq!(error.status().unwrap().to_string(), "552");

    let mut client = sink.connect();
    assert_eq!(client.code("MAIL FROM:<bob@example.com> SIZE=2001\r\n"), 552);
    // A mail is as long as it is sent (RFC 1870, 5), without the dot at its end.
    for (lines, code) in [("x\r\n", 552), ("\r\n", 250), (&"\r\n".repeat(2_000), 552)] {
        client.begin_mail();
        assert_eq!(client.code(&format!("{}{lines}.\r\n", "x\r\n".repeat(666))), code);
    }
    assert_eq!(client.code("QUIT\r\n"), 221);
    assert_eq!(sink.mails().len(), 1);
    assert_eq!(sink.drafts(), 0);
    sink.program.stop();
}

#[test]
fn commands_may_be_sent_all_at_once_and_in_any_case() {
    let sink = Sink::start(&["--max-mail", "5000"]);
    let said = send_and_end(
        &sink.address,
        b"ehlo me\r\nNoop whatever\r\nmail from:<> BODY=8BITMIME\r\nRCPT TO:<ann@example.com> NOTIFY=NEVER\r\n\
          VRFY ann\r\nDATA\r\n..hidden\r\n\r\n.\r\nRSET\r\nQUIT\r\nNOOP\r\n",
    );
    let said = String::from_utf8(said).unwrap();
    let stored = said.lines().find(|line| line.ends_with(".localhost")).unwrap();
    let name = stored.strip_prefix("250 ").unwrap();
    let replies = [
        "220 localhost ESMTP mail sink",
        "250-localhost",
        "250-SIZE 5000",
        "250-8BITMIME",
        "250 PIPELINING",
        "250 ok",
        "250 ok",
        "250 ok",
        "252 mail for everybody is taken",
        "354 the mail, and then a line with a dot",
        stored,
        "250 ok",
        "221 bye",
    ];
    assert_eq!(said, replies.map(|reply| format!("{reply}\r\n")).concat());
    let mail = fs::read_to_string(sink.maildir.path("new").join(name)).unwrap();
    assert_eq!(mail, "Return-Path: <>\nDelivered-To: ann@example.com\n.hidden\n\n");
    sink.program.stop();
}

#[test]
fn what_is_out_of_place_is_refused() {
    let sink = Sink::start(&[]);
    let mut client = sink.connect();
    for (command, reply) in [
        ("", "500 no such command: ``"),
        ("STARTTLS", "500 no such command: `STARTTLS`"),
        ("EHLO", "501 ehlo: `client` is missing"),
        ("QUIT now", "501 quit: `now` is one argument too many"),
        ("DATA", "503 RCPT comes first"),
        ("RCPT TO:<ann@example.com>", "503 MAIL comes first"),
        ("MAIL", "501 mail: `from` is missing"),
        ("MAIL bob@example.com", "501 the sender is FROM:<..>"),
        ("MAIL FROM:bob@example.com", "501 the sender is FROM:<..>"),
        ("MAIL FROM:<bob\u{7}@example.com>", "501 the sender is FROM:<..>"),
        ("MAIL FROM:<bob@example.com>", "250 ok"),
        ("MAIL FROM:<bob@example.com>", "503 there is a sender already"),
        ("DATA", "503 RCPT comes first"),
        ("RCPT TO:<>", "501 a recipient is TO:<..>"),
        ("RCPT TO", "501 a recipient is TO:<..>"),
    ] {
        client.send(&format!("{command}\r\n"));
        assert_eq!(client.reply(), reply, "{command}");
    }
    for _ in 0..100 {
        assert_eq!(client.code("RCPT TO:<ann@example.com>\r\n"), 250);
    }
    assert_eq!(client.code("RCPT TO:<ann@example.com>\r\n"), 452);
    sink.program.stop();
}

/// SMTP smuggling (CVE-2023-51764 and its kin): what one server takes for the end of a mail is within it to another,
/// and what follows is a mail of its own, or not.
#[test]
fn a_mail_ends_with_crlf_dot_crlf_and_nothing_else() {
    let sink = Sink::start(&[]);
    let smuggled = "MAIL FROM:<eve@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\nsmuggled\r\n";
    let ends = [
        "\n.\n",
        "\n.\r",
        "\r.\r",
        "\r.\n",
        "\n.\r\n",
        "\r.\r\n",
        "\r\n.\n",
        "\r\n.\r",
        "\r\r\n.\n",
        "\r\n.\r\r\n",
        "\r\n.\n\r\n",
        "\r\n\0.\r\r\n",
    ];
    let lone = ["\r", "\n", "a\rb", "a\nb", "\n\r", "a\r"].map(|lone| format!("one\r\n{lone}\r\n"));
    for lines in ends.map(|end| format!("one{end}{smuggled}")).into_iter().chain(lone) {
        let mut client = sink.connect();
        client.begin_mail();
        client.send(&format!("{lines}.\r\n"));
        assert_eq!(client.reply(), "554 CR and LF are only sent as CRLF", "{lines:?}");
        // There is no other reply before this one.
        assert_eq!(client.code("VRFY ann\r\n"), 252, "{lines:?}");
    }
    assert_eq!((sink.mails().len(), sink.drafts()), (0, 0));

    let error = sink.send_raw(b"Subject: no\n\nlone\n");
    assert_eq!(error.unwrap_err().status().unwrap().to_string(), "554");
    sink.send_raw(b"Subject: yes\r\n\r\n").unwrap();
    assert_eq!(sink.mails().len(), 1);
    sink.program.stop();
}

#[test]
fn a_command_has_no_cr_in_it() {
    let sink = Sink::start(&[]);
    let mut client = sink.connect();
    for (command, code) in [
        ("NOOP a\rQUIT\r\n", 250),
        ("DATA\r\r\n", 500),
        ("MAIL FROM:<bob@example.com>\rRCPT TO:<ann@example.com>\r\n", 501),
        ("MAIL FROM:<bob@example.com\r>\r\n", 501),
        ("MAIL FROM:<bob@example.com>\n", 250),
        ("RCPT TO:<ann@example.com>\r\r\n", 501),
        ("DATA\r\n", 503),
    ] {
        assert_eq!(client.code(command), code, "{command:?}");
    }
    sink.program.stop();
}

#[test]
fn a_line_of_a_mail_may_be_as_long_as_the_mail() {
    let sink = Sink::start(&["--max-mail", "200000"]);
    let mut client = sink.connect();
    // Pieces of it are no lines of their own.
    for length in [65_533, 65_534, 65_535, 65_536, 65_537, 131_071, 131_072] {
        client.begin_mail();
        assert_eq!(client.code(&format!("{}.\r\n.\r\n", "x".repeat(length))), 250, "{length}");
        let mails = sink.mails();
        assert_eq!(mails[0].lines().last().unwrap().len(), length + 1);
        client.begin_mail();
        assert_eq!(client.code(&format!("{}.\r\n.\r\n", "x".repeat(length + 200_000))), 552, "{length}");
        assert_eq!(sink.mails(), mails);
        fs::remove_dir_all(sink.maildir.path("new")).unwrap();
        fs::create_dir(sink.maildir.path("new")).unwrap();
    }
    sink.program.stop();
}

#[test]
fn a_mail_without_an_end_is_no_mail() {
    let sink = Sink::start(&[]);
    let said = send_and_end(
        &sink.address,
        b"HELO me\r\nMAIL FROM:<bob@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\nhalf a mail\r\n",
    );
    assert!(String::from_utf8(said).unwrap().ends_with("\r\n451 unexpected end of file\r\n"));
    assert_eq!((sink.mails().len(), sink.drafts()), (0, 0));
    // Of the end, one byte is missing.
    let data = "HELO me\r\nMAIL FROM:<bob@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n";
    let said = send_and_end(&sink.address, format!("{data}a mail\r\n.\r").as_bytes());
    assert!(String::from_utf8(said).unwrap().ends_with("\r\n451 unexpected end of file\r\n"));
    assert_eq!((sink.mails().len(), sink.drafts()), (0, 0));
    sink.program.stop();
}

#[test]
fn a_mail_may_be_as_long_as_a_number_says() {
    let sink = Sink::start(&["--max-mail", &usize::MAX.to_string()]);
    assert!(sink.send(&message("hello")).unwrap().is_positive());
    sink.program.stop();
}

#[test]
fn a_mail_that_cannot_be_kept_is_not_accepted() {
    let sink = Sink::start(&[]);
    fs::remove_dir(sink.maildir.path("new")).unwrap();
    let mut client = sink.connect();
    client.begin_mail();
    assert_eq!(client.code("hello\r\n.\r\n"), 451);
    assert_eq!(sink.drafts(), 0);
    fs::create_dir(sink.maildir.path("new")).unwrap();
    client.begin_mail();
    assert_eq!(client.code("hello\r\n.\r\n"), 250);
    assert_eq!(sink.mails().len(), 1);
    sink.program.stop();
}

#[test]
fn hostile_input_takes_no_memory_and_ends_no_server() {
    let sink = Sink::start(&["--max-mail", "1000000"]);
    let before = peak_memory(sink.program.pid());
    for seed in 1..=8 {
        let said = send_and_end(&sink.address, &Noise::new(seed).bytes(1 << 18));
        let said = String::from_utf8(said).unwrap();
        let mut lines = said.lines();
        assert!(lines.next().unwrap().starts_with("220 "));
        assert!(lines.all(|line| line.starts_with("500 ") || line.starts_with("501 ")), "{said}");
    }

    let endless = vec![b'x'; 1 << 25];
    let said = String::from_utf8(send_and_end(&sink.address, &endless)).unwrap();
    assert!(said.ends_with("\r\n500 the line is longer than 1024 bytes (`max_line`)\r\n"), "{said}");

    let data = b"HELO me\r\nMAIL FROM:<bob@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n";
    let said = String::from_utf8(send_and_end(&sink.address, &[data, endless.as_slice()].concat())).unwrap();
    assert!(said.contains("\r\n354 "), "{said}");
    let lines = b"of many\r\n".repeat(1 << 20);
    let said = send_and_end(&sink.address, &[data, lines.as_slice(), b".\r\nNOOP\r\n"].concat());
    assert!(String::from_utf8(said).unwrap().ends_with("\r\n552 the mail is too long\r\n250 ok\r\n"));

    let grown = peak_memory(sink.program.pid()) - before;
    assert!(grown < 8 << 20, "{grown} bytes");

    sink.send(&message("still there")).unwrap();
    assert_eq!((sink.mails().len(), sink.drafts()), (1, 0));
    sink.program.stop();
}

#[test]
fn one_that_falls_silent_is_hung_up_on() {
    let sink = Sink::start(&["--read-timeout", "1"]);
    for half in ["MAIL FR", "HELO me\r\nMAIL FROM:<bob@example.com>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\nhalf"] {
        assert!(send_and_wait(&sink.address, half.as_bytes()).starts_with(b"220 "));
    }
    assert_eq!((sink.mails().len(), sink.drafts()), (0, 0));
    let log = sink.program.stop().log;
    assert_eq!(log.matches("nothing was received for 1s (`read_timeout`)").count(), 2, "{log}");
}

#[test]
fn a_shutdown_ends_an_idle_session() {
    let sink = Sink::start(&[]);
    let mut client = sink.connect();
    assert_eq!(client.code("HELO me\r\n"), 250);
    sink.program.stop();
    assert_eq!(client.0.read_line(&mut String::new()).unwrap(), 0);
}
