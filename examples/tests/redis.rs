//! Speaks to the example `redis` with the crate of that name.

use std::thread;

use redis::{Client, Connection, Pipeline, RedisError, TypedCommands, Value, cmd, pipe};
use socketserver::Address;
use support::{Program, send_and_end, wait_until};

struct Server {
    program: Program,
    address: Address,
}

impl Server {
    fn start(limits: &[&str]) -> Self {
        let mut program = Program::start("redis", &[&["--address", "127.0.0.1:0"], limits].concat());
        let address = program.address();
        Self { program, address }
    }

    fn client(&self) -> Connection {
        Client::open(format!("redis://{}", self.address)).unwrap().get_connection().unwrap()
    }

    /// All that is replied to these bytes, behind which nothing comes.
    #[track_caller]
    fn replies(&self, bytes: impl AsRef<[u8]>) -> String {
        String::from_utf8(send_and_end(&self.address, bytes.as_ref())).unwrap()
    }
}

/// What is replied to a command, as `redis-cli` would show it on one line.
fn ask(client: &mut Connection, command: &str) -> String {
    let mut words = command.split(' ');
    let mut command = cmd(words.next().unwrap());
    for word in words {
        command.arg(word);
    }
    shown(command.query(client))
}

fn shown(reply: Result<Value, RedisError>) -> String {
    match reply {
        Ok(Value::Nil) => "nil".to_owned(),
        Ok(Value::Okay) => "OK".to_owned(),
        Ok(Value::SimpleString(text)) => text,
        Ok(Value::Int(number)) => number.to_string(),
        Ok(Value::BulkString(bytes)) => format!("\"{}\"", bytes.escape_ascii()),
        Ok(Value::Array(values)) => {
            let values: Vec<_> = values.into_iter().map(|value| shown(Ok(value))).collect();
            format!("[{}]", values.join(" "))
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("{} {}", error.code().unwrap_or("?"), error.detail().unwrap_or("?")),
    }
}

/// Asks one after the other. A reply of `~100` is a number of seconds, some of which may have gone by.
#[track_caller]
fn converse(client: &mut Connection, dialogue: &[(&str, &str)]) {
    for (command, expected) in dialogue {
        let reply = ask(client, command);
        match expected.strip_prefix('~').map(|seconds| seconds.parse::<u32>().unwrap()) {
            Some(seconds) => assert!((seconds / 2..=seconds).contains(&reply.parse().unwrap()), "{command}: {reply}"),
            None => assert_eq!(reply, *expected, "{command}"),
        }
    }
}

#[test]
fn every_command_replies_as_redis_does() {
    let server = Server::start(&[]);
    let mut client = server.client();
    converse(
        &mut client,
        &[
            ("PING", "PONG"),
            ("ping hello", "\"hello\""),
            ("ECHO hello", "\"hello\""),
            ("SET k v", "OK"),
            ("GET k", "\"v\""),
            ("GET none", "nil"),
            ("EXISTS k none k", "2"),
            ("DEL k none", "1"),
            ("GET k", "nil"),
            ("INCR n", "1"),
            ("INCRBY n 41", "42"),
            ("DECR n", "41"),
            ("INCRBY n -50", "-9"),
            ("GET n", "\"-9\""),
            ("APPEND a one", "3"),
            ("APPEND a two", "6"),
            ("GET a", "\"onetwo\""),
            ("MSET x 1 y 2", "OK"),
            ("MGET x none y", "[\"1\" nil \"2\"]"),
            ("DBSIZE", "4"),
            ("FLUSHALL", "OK"),
            ("DBSIZE", "0"),
            ("RPUSH l b c", "2"),
            ("LPUSH l a z", "4"),
            ("LRANGE l 0 -1", "[\"z\" \"a\" \"b\" \"c\"]"),
            ("LRANGE l 1 2", "[\"a\" \"b\"]"),
            ("LRANGE l -2 100", "[\"b\" \"c\"]"),
            ("LRANGE l -100 0", "[\"z\"]"),
            ("LRANGE l 3 1", "[]"),
            ("LRANGE none 0 -1", "[]"),
            ("LLEN l", "4"),
            ("LPOP l", "\"z\""),
            ("RPOP l 2", "[\"c\" \"b\"]"),
            ("LPOP l 5", "[\"a\"]"),
            ("LPOP l", "nil"),
            ("EXISTS l", "0"),
            ("LLEN l", "0"),
            ("SADD s a b a", "2"),
            ("SREM s a none", "1"),
            ("SMEMBERS s", "[\"b\"]"),
            ("SREM s b", "1"),
            ("EXISTS s", "0"),
            ("SMEMBERS s", "[]"),
            ("HSET h f 1 g 2", "2"),
            ("HSET h f 3", "0"),
            ("HGET h f", "\"3\""),
            ("HGET h none", "nil"),
            ("HGET none f", "nil"),
            ("HGETALL none", "[]"),
            ("COMMAND DOCS", "[]"),
            ("CONFIG GET maxclients", "[\"maxclients\" \"1024\"]"),
            ("CONFIG GET SAVE appendonly", "[\"appendonly\" \"no\" \"save\" \"\"]"),
            ("CLIENT SETINFO LIB-NAME test", "OK"),
        ],
    );
    assert!(ask(&mut client, "CLIENT INFO").starts_with("\"addr=127.0.0.1:"));
    assert!(ask(&mut client, "INFO").contains("db0:keys=1"));
    assert!(ask(&mut client, "INFO memory").contains("maxmemory:268435456"));
    server.program.stop();
}

#[test]
fn the_methods_of_the_crate_understand_the_replies() -> Result<(), RedisError> {
    let server = Server::start(&[]);
    let mut client = server.client();
    client.set("text", "hello")?;
    assert_eq!(client.get("text")?, Some("hello".to_owned()));
    assert_eq!(client.mget(&["text", "none"])?, [Some("hello".to_owned()), None]);
    assert_eq!(client.incr("n", 5)?, 5);
    assert_eq!((client.hset("hash", "a", 1)?, client.hset("hash", "b", 2)?), (1, 1));
    let hash = client.hgetall("hash")?;
    assert_eq!((hash.len(), hash["a"].as_str(), hash["b"].as_str()), (2, "1", "2"));
    client.sadd("set", &["a", "b", "a"])?;
    assert_eq!(client.smembers("set")?, ["a", "b"].map(str::to_owned).into());
    client.rpush("list", &["a", "b"])?;
    assert_eq!(client.lrange("list", 0, -1)?, ["a", "b"]);
    assert!(client.exists("list")?);
    let mut keys = client.keys("*t")?;
    keys.sort();
    assert_eq!(keys, ["list", "set", "text"]);

    let bytes: Vec<u8> = (0..=255).collect();
    let () = cmd("SET").arg(&bytes).arg(&bytes).query(&mut client)?;
    assert_eq!(cmd("GET").arg(&bytes).query::<Vec<u8>>(&mut client)?, bytes);
    server.program.stop();
    Ok(())
}

#[test]
fn set_has_its_options() {
    let server = Server::start(&[]);
    converse(
        &mut server.client(),
        &[
            ("SET k 1 XX", "nil"),
            ("SET k 1 NX", "OK"),
            ("SET k 2 NX", "nil"),
            ("SET k 2 xx get", "\"1\""),
            ("SET k 3 NX GET", "\"2\""),
            ("SET new 1 GET", "nil"),
            ("GET k", "\"2\""),
            ("TTL k", "-1"),
            ("SET k 3 EX 100", "OK"),
            ("TTL k", "~100"),
            ("SET k 3 PX 100000 XX", "OK"),
            ("TTL k", "~100"),
            ("SET k 4", "OK"),
            ("TTL k", "-1"),
            ("SET k 5 NX XX", "ERR syntax error"),
            ("SET k 5 EX 1 PX 1", "ERR syntax error"),
            ("SET k 5 EX", "ERR syntax error"),
            ("SET k 5 soon", "ERR syntax error"),
            ("SET k 5 EX soon", "ERR value is not an integer or out of range"),
            ("SET k 5 EX 0", "ERR invalid expire time in 'set' command"),
            ("SET k 5 EX 9223372036854775807", "ERR invalid expire time in 'set' command"),
            ("GET k", "\"4\""),
        ],
    );
    server.program.stop();
}

#[test]
fn a_key_is_gone_after_its_time() {
    let server = Server::start(&[]);
    let mut client = server.client();
    converse(
        &mut client,
        &[
            ("SET k v PX 30", "OK"),
            ("SET asked-for-never v PX 30", "OK"),
            ("SET stays v", "OK"),
            ("RPUSH l v", "1"),
            ("EXPIRE l 100", "1"),
            ("TTL l", "~100"),
            ("EXPIRE none 100", "0"),
            ("EXPIRE stays soon", "ERR value is not an integer or out of range"),
            ("EXPIRE stays 9223372036854775807", "ERR invalid expire time in 'expire' command"),
        ],
    );
    wait_until("the key is gone", || ask(&mut client, "TTL k") == "-2");
    converse(&mut client, &[("GET k", "nil"), ("EXISTS k", "0"), ("SET k w NX", "OK"), ("TTL k", "-1")]);
    wait_until("the other is gone", || ask(&mut client, "DBSIZE") == "3");
    converse(&mut client, &[("EXPIRE l -1", "1"), ("EXISTS l", "0"), ("DBSIZE", "2")]);
    server.program.stop();
}

#[test]
fn patterns_are_those_of_redis() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let names = ["hello", "hallo", "hxllo", "hllo", "heeello", "a/b.c", "user:{1}", "*"];
    for name in names {
        assert_eq!(ask(&mut client, &format!("SET {name} 1")), "OK");
    }
    let mut matching = |pattern: &str| {
        let mut keys = client.keys(pattern).unwrap();
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(matching("h?llo"), "hallo hello hxllo");
    assert_eq!(matching("h*llo"), "hallo heeello hello hllo hxllo");
    assert_eq!(matching("h[ae]llo"), "hallo hello");
    assert_eq!(matching("h[^e]llo"), "hallo hxllo");
    assert_eq!(matching("h[a-b]llo"), "hallo");
    assert_eq!(matching("a*c"), "a/b.c");
    assert_eq!(matching("user:{1}"), "user:{1}");
    assert_eq!(matching("\\*"), "*");
    server.program.stop();
}

#[test]
fn errors_are_in_the_words_of_redis() {
    const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
    const NO_INTEGER: &str = "ERR value is not an integer or out of range";

    let server = Server::start(&[]);
    converse(
        &mut server.client(),
        &[
            ("NOPE", "ERR unknown command 'NOPE', with args beginning with: "),
            ("nope a b", "ERR unknown command 'nope', with args beginning with: 'a' 'b' "),
            ("GET", "ERR wrong number of arguments for 'get' command"),
            ("GET a b", "ERR wrong number of arguments for 'get' command"),
            ("DEL", "ERR wrong number of arguments for 'del' command"),
            ("EXISTS", "ERR wrong number of arguments for 'exists' command"),
            ("RPUSH l", "ERR wrong number of arguments for 'rpush' command"),
            ("MSET a", "ERR wrong number of arguments for 'mset' command"),
            ("HSET h f", "ERR wrong number of arguments for 'hset' command"),
            ("PING a b", "ERR wrong number of arguments for 'ping' command"),
            ("FLUSHALL NOW", "ERR syntax error"),
            ("CONFIG GET", "ERR wrong number of arguments for 'config|get' command"),
            ("CONFIG SET a b", "ERR unknown subcommand 'SET'. Try CONFIG HELP."),
            ("CLIENT KILL", "ERR unknown subcommand 'KILL'. Try CLIENT HELP."),
            ("SET s text", "OK"),
            ("INCR s", NO_INTEGER),
            ("INCRBY n x", NO_INTEGER),
            ("INCRBY n 9223372036854775807", "9223372036854775807"),
            ("INCR n", "ERR increment or decrement would overflow"),
            ("GET n", "\"9223372036854775807\""),
            ("LRANGE l 0 x", NO_INTEGER),
            ("LPOP l -1", "ERR value is out of range, must be positive"),
            ("LPUSH s a", WRONG_TYPE),
            ("LRANGE s 0 1", WRONG_TYPE),
            ("SADD s a", WRONG_TYPE),
            ("HGET s a", WRONG_TYPE),
            ("RPUSH l a", "1"),
            ("GET l", WRONG_TYPE),
            ("APPEND l a", WRONG_TYPE),
            ("INCR l", WRONG_TYPE),
            ("SET l a GET", WRONG_TYPE),
            ("MGET s l", "[\"text\" nil]"),
            ("SET l a", "OK"),
        ],
    );
    server.program.stop();
}

#[test]
fn a_pipeline_is_answered_in_order() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let mut pipeline = pipe();
    for number in 0..1_000 {
        pipeline.cmd("SET").arg(number).arg(number * 2).ignore();
        pipeline.cmd("GET").arg(number);
    }
    let doubled: Vec<u32> = pipeline.query(&mut client).unwrap();
    assert_eq!(doubled, (0..1_000).map(|number| number * 2).collect::<Vec<_>>());
    assert_eq!(ask(&mut client, "DBSIZE"), "1000");

    // One that fails is answered in its place.
    let mut pipeline = Pipeline::new();
    pipeline.cmd("SET").arg("t").arg("text").cmd("INCR").arg("t").cmd("GET").arg("t");
    assert!(pipeline.query::<Vec<Value>>(&mut client).is_err());
    assert_eq!(ask(&mut client, "GET t"), "\"text\"");
    server.program.stop();
}

#[test]
fn lines_are_requests_too() {
    let server = Server::start(&[]);
    let replies =
        server.replies(b"SET greeting hello\r\n\r\nget greeting\n  PING  \r\n*1\r\n$4\r\nPING\r\nNOPE\r\n*0\r\nPING");
    let unknown = "-ERR unknown command 'NOPE', with args beginning with: \r\n";
    assert_eq!(replies, format!("+OK\r\n$5\r\nhello\r\n+PONG\r\n+PONG\r\n{unknown}+PONG\r\n"));
    server.program.stop();
}

#[test]
fn clients_work_side_by_side() {
    let server = Server::start(&[]);
    thread::scope(|scope| {
        for client in 0..8 {
            let mut connection = server.client();
            scope.spawn(move || {
                for number in 0..100 {
                    connection.incr("all", 1).unwrap();
                    connection.set(client, number).unwrap();
                    assert_eq!(connection.get(client).unwrap(), Some(number.to_string()));
                }
            });
        }
    });
    assert_eq!(ask(&mut server.client(), "GET all"), "\"800\"");
    assert!(server.program.stop().output.ends_with("drained; connections: 9\n"));
}

#[test]
fn what_does_not_fit_in_the_memory_is_refused() {
    const FULL: &str = "OOM command not allowed when used memory > 'maxmemory'.";

    let server = Server::start(&["--max-memory", "4000000"]);
    let mut client = server.client();
    let value = "x".repeat(100_000);
    let (set, push) = (format!("SET k {value}"), format!("RPUSH l {value}"));
    let stored = (0..100).take_while(|_| ask(&mut client, &push) != FULL).count();
    assert!((20..40).contains(&stored), "{stored}");
    let stored = stored.to_string();
    converse(&mut client, &[(&set, FULL), ("EXISTS k", "0"), (&push, FULL), ("LLEN l", &stored), ("PING", "PONG")]);
    converse(&mut client, &[("FLUSHALL", "OK"), (&set, "OK")]);
    server.program.stop();
}
