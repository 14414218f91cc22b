//! Gets files from the example `http`, with `ureq` and by hand.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

use socketserver::Address;
use support::{Ended, Noise, Place, Program, peak_memory, send_and_end, send_and_wait};
use ureq::http::Response;
use ureq::{Agent, Body};

/// A running file server, the directory that it serves, and a client that keeps its connection.
struct Site {
    program: Program,
    address: Address,
    root: Place,
    agent: Agent,
}

impl Site {
    fn start(limits: &[&str]) -> Self {
        let root = Place::new();
        let directory = root.directory().to_str().unwrap().to_owned();
        let mut program =
            Program::start("http", &[&["--address", "127.0.0.1:0", "--root", &directory], limits].concat());
        let address = program.address();
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(20)));
        Self { program, address, root, agent: config.build().into() }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.root.path(name), content).unwrap();
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn get(&self, path: &str) -> Response<Body> {
        self.agent.get(self.url(path)).call().unwrap()
    }

    fn get_range(&self, path: &str, range: &str) -> Response<Body> {
        self.agent.get(self.url(path)).header("Range", range).call().unwrap()
    }

    /// The reply to a request by hand, which is the only one on its connection.
    fn ask(&self, head: &str) -> String {
        let said = send_and_end(&self.address, format!("{head}\r\n\r\n").as_bytes());
        String::from_utf8(said).unwrap()
    }

    fn status(&self, path: &str) -> String {
        let said = self.ask(&format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close"));
        said.lines().next().unwrap().strip_prefix("HTTP/1.1 ").unwrap().to_owned()
    }
}

fn field<'r>(response: &'r Response<Body>, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn body(mut response: Response<Body>) -> Vec<u8> {
    response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap()
}

fn text(response: Response<Body>) -> String {
    String::from_utf8(body(response)).unwrap()
}

#[test]
fn files_are_got_over_one_connection() {
    let mut site = Site::start(&[]);
    site.write("hello.txt", "hello\n");
    site.write("empty", "");
    fs::create_dir(site.root.path("deep")).unwrap();
    site.write("deep/grüße & co.html", "<p>grüße");

    let response = site.get("/hello.txt?whatever");
    assert_eq!(response.status(), 200);
    assert_eq!(field(&response, "content-type"), "text/plain");
    assert_eq!(field(&response, "content-length"), "6");
    assert_eq!(field(&response, "connection"), "keep-alive");
    assert!(httpdate::parse_http_date(field(&response, "date")).is_ok());
    assert_eq!(text(response), "hello\n");
    assert_eq!(text(site.get("/empty")), "");
    let response = site.get("/deep/gr%C3%BC%C3%9Fe%20&%20co.html");
    assert_eq!(field(&response, "content-type"), "text/html");
    assert_eq!(text(response), "<p>grüße");
    let response = site.get("/nothing");
    assert_eq!(response.status(), 404);
    assert_eq!(text(response), "404 Not Found");

    let paths = ["/hello.txt?whatever", "/empty", "/deep/gr%C3%BC%C3%9Fe%20&%20co.html", "/nothing"];
    let peers: BTreeSet<_> = paths
        .iter()
        .map(|path| {
            let line = site.program.logged(&format!("GET {path}: "));
            line.split_once("http] ").unwrap().1.split_once(": GET").unwrap().0.to_owned()
        })
        .collect();
    assert_eq!(peers.len(), 1, "{peers:?}");
    site.program.stop();
}

#[test]
fn head_is_get_without_the_body() {
    let site = Site::start(&[]);
    site.write("hello.txt", "hello\n");
    let response = site.agent.head(site.url("/hello.txt")).call().unwrap();
    assert_eq!((response.status().as_u16(), field(&response, "content-length")), (200, "6"));
    assert_eq!(text(response), "");
    let said = site.ask("HEAD /nothing HTTP/1.1\r\nHost: here");
    assert!(said.starts_with("HTTP/1.1 404 ") && said.ends_with("\r\nContent-Length: 13\r\n\r\n"), "{said}");
    site.program.stop();
}

#[test]
fn a_large_file_is_streamed() {
    let site = Site::start(&[]);
    let content = Noise::new(1).bytes(24 << 20);
    site.write("large", &content);
    let before = peak_memory(site.program.pid());
    assert!(body(site.get("/large")) == content);
    let response = site.get_range("/large", "bytes=9000000-");
    assert_eq!(response.status(), 206);
    assert!(body(response) == content[9_000_000..]);
    let grown = peak_memory(site.program.pid()) - before;
    assert!(grown < 4 << 20, "{grown} bytes");
    site.program.stop();
}

#[test]
fn a_range_is_a_part_of_the_file() {
    let site = Site::start(&[]);
    site.write("digits", "0123456789");
    site.write("empty", "");
    for (range, content_range, expected) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("Bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=7-99999999999999999999", "", "0123456789"),
        ("bytes=7-18446744073709551615", "bytes 7-9/10", "789"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=-30", "bytes 0-9/10", "0123456789"),
        // What cannot be understood is passed over, and so are several.
        ("bytes=4-2", "", "0123456789"),
        ("bytes=0-1,4-5", "", "0123456789"),
        ("bytes=a-b", "", "0123456789"),
        ("lines=0-1", "", "0123456789"),
        ("bytes=-", "", "0123456789"),
        ("bytes=+0-1", "", "0123456789"),
        ("bytes=0-+1", "", "0123456789"),
        ("bytes=-+3", "", "0123456789"),
    ] {
        let response = site.get_range("/digits", range);
        assert_eq!(response.status(), if content_range.is_empty() { 200 } else { 206 }, "{range}");
        assert_eq!(field(&response, "content-range"), content_range, "{range}");
        assert_eq!(field(&response, "accept-ranges"), "bytes", "{range}");
        assert_eq!(text(response), expected, "{range}");
    }
    for (path, range, content_range) in [
        ("/digits", "bytes=10-", "bytes */10"),
        ("/digits", "bytes=900-901", "bytes */10"),
        ("/digits", "bytes=-0", "bytes */10"),
        ("/empty", "bytes=0-", "bytes */0"),
    ] {
        let response = site.get_range(path, range);
        assert_eq!((response.status().as_u16(), field(&response, "content-range")), (416, content_range), "{range}");
    }
    let request = site.agent.get(site.url("/digits")).header("Range", "bytes=0-1").header("If-Range", "\"tag\"");
    assert_eq!(request.call().unwrap().status(), 200);
    site.program.stop();
}

#[test]
fn no_path_leads_out_of_the_root() {
    let site = Site::start(&[]);
    let outside = Place::new();
    fs::write(outside.path("secret"), "secret").unwrap();
    fs::create_dir(site.root.path("in")).unwrap();
    site.write("in/file", "inside");
    symlink("in/file", site.root.path("link")).unwrap();
    symlink(outside.path("secret"), site.root.path("out")).unwrap();
    symlink(outside.directory(), site.root.path("outer")).unwrap();
    symlink("../".repeat(20), site.root.path("up")).unwrap();
    symlink("round", site.root.path("round")).unwrap();
    let _listener = UnixListener::bind(site.root.path("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(site.root.path("fifo")).status().unwrap().success());

    assert_eq!(text(site.get("/link")), "inside");
    let secret = outside.path("secret").display().to_string();
    for path in [
        "/out",
        "/outer/secret",
        "/outer/",
        &format!("/up{secret}"),
        &format!("/../../../../../../../../../..{secret}"),
        &format!("/..%2f..%2F..%2f..%2f..%2f..{secret}"),
        &format!("/%2e%2e/%2E./.%2e/../..{secret}"),
        &format!("/%2F{secret}"),
        &format!("/in/../../{secret}"),
    ] {
        let status = site.status(path);
        assert!(["403 Forbidden", "404 Not Found"].contains(&status.as_str()), "{path}: {status}");
    }
    for path in [&format!("/{secret}"), "/fifo", "/socket", "/in/file/x", "*"] {
        assert_eq!(site.status(path), "404 Not Found", "{path}");
    }
    for path in ["/%00", "/in/file%00.txt", &format!("/{}", "x".repeat(300)), &"/in/..".repeat(1_000)] {
        assert_eq!(site.status(path), "400 Bad Request", "{path}");
    }
    for path in ["/round", &format!("/{}", "x".repeat(300))] {
        assert!(!site.status(path).starts_with('2'), "{path}");
    }
    assert_eq!(site.status("http://here/in/file?x"), "200 OK");
    assert_eq!(site.status("/in/../in/./file"), "200 OK");
    site.program.stop();
}

#[test]
fn a_directory_is_listed_with_links_that_lead_to_its_entries() {
    let site = Site::start(&[]);
    fs::create_dir_all(site.root.path("a directory/inner")).unwrap();
    let names = ["plain.txt", "a b&c", "<script>\"x\"", "100%", "q?#f", "grüße", "javascript:x"];
    for name in names {
        site.write(&format!("a directory/{name}"), name);
    }
    let odd = site.root.path("a directory").join(OsStr::from_bytes(b"not \xff text"));
    fs::write(odd, "odd").unwrap();

    for path in ["/a%20directory", "/a%20directory/"] {
        let response = site.get(path);
        assert_eq!(field(&response, "content-type"), "text/html; charset=utf-8");
        let page = text(response);
        assert!(page.contains("<base href=\"/a%20directory/\">"), "{page}");
        assert!(page.contains(">&lt;script>&quot;x&quot;</a>"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
        let links = page.split("<a href=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0);
        let contents: BTreeSet<_> = links.map(|link| text(site.get(&format!("/a%20directory/{link}")))).collect();
        assert!(names.iter().all(|name| contents.contains(*name)), "{contents:?}");
        assert!(contents.contains("odd"));
        assert_eq!(contents.len(), names.len() + 2);
    }
    assert!(text(site.get("/")).contains("<base href=\"/\">"));
    assert!(site.ask("GET //evil.example/ HTTP/1.1\r\nHost: here").starts_with("HTTP/1.1 404 "));
    site.program.stop();
}

#[test]
fn requests_may_be_sent_all_at_once() {
    let site = Site::start(&[]);
    site.write("one", "1");
    site.write("two", "22");
    let requests = "GET /one HTTP/1.1\r\nHost: here\r\n\r\nHEAD /two HTTP/1.1\r\nhost: here\r\n\r\n\
                    GET /two HTTP/1.1\r\nHOST: here\r\nConnection: Close\r\n\r\nGET /one HTTP/1.1\r\nHost: here\r\n\r\n";
    let said = String::from_utf8(send_and_wait(&site.address, requests.as_bytes())).unwrap();
    let replies: Vec<_> = said.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
    let bodies: Vec<_> = replies.iter().map(|reply| reply.split_once("\r\n\r\n").unwrap().1).collect();
    assert_eq!(bodies, ["1", "", "22"]);
    let connections: Vec<_> = replies.iter().map(|reply| reply.contains("\r\nConnection: keep-alive\r\n")).collect();
    assert_eq!(connections, [true, true, false]);
    site.program.stop();
}

#[test]
fn what_is_no_request_is_refused() {
    let mut site = Site::start(&["--max-head", "2000"]);
    site.write("file", "content");
    let many = format!("GET / HTTP/1.1\r\nHost: here{}", "\r\nx: y".repeat(100));
    let large = format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(3_000));
    for (head, status) in [
        ("hello", "400 Bad Request"),
        ("GET /file", "400 Bad Request"),
        ("GET /file HTTP/1.1", "400 Bad Request"),
        ("GET /file HTTP/3.0\r\nHost: here", "400 Bad Request"),
        ("GET /file HTTP/1.1\r\nHost here", "400 Bad Request"),
        (&many, "400 Bad Request"),
        (&large, "431 Request Header Fields Too Large"),
        ("DELETE /file HTTP/1.1\r\nHost: here", "501 Not Implemented"),
        ("POST /file HTTP/1.1\r\nHost: here\r\nContent-Length: 3", "501 Not Implemented"),
    ] {
        let said = site.ask(head);
        assert!(said.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}: {said}");
        assert!(said.ends_with(&format!("\r\n\r\n{status}")), "{head}: {said}");
    }
    // Which of two hosts is meant? And is it one request, or two?
    for head in [
        "GET /file HTTP/1.1\r\nHost: here\r\nHost: there",
        "GET /file HTTP/1.1\nHost: here\n\nGET /file HTTP/1.1\r\nHost: here",
    ] {
        let said = site.ask(head);
        assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}: {said}");
    }
    // Half a head is not one that is too large.
    for half in ["h", "GET /file HTTP/1.1\r\nHost: here\r\n", "GET /file HTTP/1.1\nHost"] {
        let said = String::from_utf8(send_and_end(&site.address, half.as_bytes())).unwrap();
        assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{half}: {said}");
    }
    // What a terminal would obey is not told as it is.
    let said = site.ask("GET /\u{9b}31m HTTP/1.1\r\nHost: here");
    assert!(said.starts_with("HTTP/1.1 404 Not Found\r\n"), "{said}");
    site.program.logged("GET /\\u{9b}31m: 404 Not Found");
    // Two fields of one name are one list.
    let said = site.ask("GET /file HTTP/1.1\r\nHost: here\r\nConnection: x\r\nConnection: close");
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.contains("\r\nConnection: close\r\n"), "{said}");
    // No body is taken for a request.
    let smuggled = "GET /file HTTP/1.1\r\nHost: here\r\nContent-Length: 41\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: here";
    let said = site.ask(smuggled);
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
    assert!(said.contains("\r\nConnection: close\r\n"), "{said}");
    // The first version has its connections one by one, and needs no host.
    let said = site.ask("GET /file HTTP/1.0\r\n\r\nGET /file HTTP/1.0");
    assert_eq!(said.matches("HTTP/1.1 200 OK\r\n").count(), 1, "{said}");
    site.program.stop();
}

#[test]
fn hostile_input_takes_no_memory_and_ends_no_server() {
    let site = Site::start(&[]);
    site.write("file", "content");
    let before = peak_memory(site.program.pid());
    for seed in 1..=8 {
        let said = send_and_end(&site.address, &Noise::new(seed).bytes(1 << 18));
        assert!(said.starts_with(b"HTTP/1.1 4"), "{}", said.escape_ascii());
    }
    let said = send_and_end(&site.address, &vec![b'x'; 1 << 25]);
    assert!(said.starts_with(b"HTTP/1.1 431 ") || said.is_empty(), "{}", said.escape_ascii());
    let grown = peak_memory(site.program.pid()) - before;
    assert!(grown < 4 << 20, "{grown} bytes");
    assert_eq!(text(site.get("/file")), "content");
    site.program.stop();
}

#[test]
fn one_that_falls_silent_is_hung_up_on() {
    let mut site = Site::start(&["--idle-timeout", "1"]);
    site.write("large", vec![0; 64 << 20]);
    assert!(send_and_wait(&site.address, b"GET / HTTP/1.1\r\nHost: ").is_empty());
    site.program.logged("nothing was received for 1s (`read_timeout`)");
    // One that takes nothing of what it asks for.
    let mut deaf = TcpStream::connect(&site.address).unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    site.program.logged("the peer takes nothing for 1s (`write_timeout`)");
    site.program.stop();
}

#[test]
fn a_root_that_is_not_there_is_named() {
    let Ended { status, log, .. } = Program::start("http", &["--root", "/nowhere/at/all"]).wait();
    assert!(!status.success());
    assert!(log.contains("/nowhere/at/all: No such file or directory"), "{log}");
}
