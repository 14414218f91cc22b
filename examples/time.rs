//! The time of day over UDP, in two servers: the time protocol (RFC 868), which answers with the seconds since 1900 in
//! four bytes, and the daytime protocol (RFC 867), which answers with a line of text.
//!
//! ```text
//! cargo run --example time                              # on ports 10037 and 10013
//! cargo run --example time 7037 7013                    # or on those that you say
//!
//! echo | nc -u -w 1 127.0.0.1 10037 | od -An -tu1      # four bytes, the most significant first
//! echo | nc -u -w 1 127.0.0.1 10013                    # Tuesday, February 22, 1982 17:37:43-UTC
//! ```
//!
//! Any packet is a question, also an empty one. The ports that the protocols are meant for, 37 and 13, take a
//! privileged user.

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;
use std::time::{SystemTime, SystemTimeError};

use socketserver::{Datagram, handler, socket_server};

/// RFC 868.
#[socket_server(udp)]
struct Time;

#[handler]
impl Time {
    fn handle(&self, packet: &mut Datagram) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(packet.reply(&time(unix_seconds()?))?)
    }
}

/// RFC 867.
#[socket_server(udp)]
struct Daytime;

#[handler]
impl Daytime {
    fn handle(&self, packet: &mut Datagram) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(packet.reply(daytime(unix_seconds()?).as_bytes())?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut ports = env::args().skip(1);
    let mut port = |default| match ports.next() {
        Some(port) => port.parse::<u16>().map_err(|_| format!("`{port}` is not a port")),
        None => Ok(default),
    };
    let time = Time.bind((Ipv4Addr::LOCALHOST, port(10_037)?))?;
    let daytime = Daytime.bind((Ipv4Addr::LOCALHOST, port(10_013)?))?;
    time.shutdown_on_signals()?;
    daytime.shutdown_on_signals()?;

    println!("listening on {} (time)", time.local_address());
    println!("listening on {} (daytime)", daytime.local_address());
    if let (Some(time), Some(daytime)) = (time.local_address().port(), daytime.local_address().port()) {
        println!("try it: echo | nc -u -w 1 127.0.0.1 {time} | od -An -tu1");
        println!("        echo | nc -u -w 1 127.0.0.1 {daytime}");
    }
    println!("Ctrl-C drains and ends");
    let daytime = daytime.start()?;
    time.serve_forever()?;
    println!("drained; packets: {}", time.stats().accepted + daytime.stats().accepted);
    Ok(daytime.shutdown()?)
}

fn unix_seconds() -> Result<u64, SystemTimeError> {
    Ok(SystemTime::UNIX_EPOCH.elapsed()?.as_secs())
}

/// Seconds since 1900, of which the protocol has the lower 32 bits: they start anew in 2036.
fn time(unix_seconds: u64) -> [u8; 4] {
    const FROM_1900_TO_1970: u64 = 2_208_988_800;

    let [.., a, b, c, d] = (FROM_1900_TO_1970 + unix_seconds).to_be_bytes();
    [a, b, c, d]
}

/// In the form that the RFC shows.
fn daytime(unix_seconds: u64) -> String {
    // The first of January 1970 was a Thursday.
    const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

    let (days, seconds) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let (weekday, (year, month, day)) = (WEEKDAYS[(days % 7) as usize], date(days));
    format!("{weekday}, {month} {day}, {year} {hour:02}:{minute:02}:{second:02}-UTC\r\n")
}

/// The date so many days after the first of January 1970: whole years are taken away, then whole months.
fn date(mut days: u64) -> (u64, &'static str, u64) {
    let mut year = 1970;
    loop {
        for (month, length) in months(year) {
            if days < length {
                return (year, month, days + 1);
            }
            days -= length;
        }
        year += 1;
    }
}

fn months(year: u64) -> [(&'static str, u64); 12] {
    let is_leap = matches!((year % 4, year % 100, year % 400), (0, 1.., _) | (.., 0));
    [
        ("January", 31),
        ("February", if is_leap { 29 } else { 28 }),
        ("March", 31),
        ("April", 30),
        ("May", 31),
        ("June", 30),
        ("July", 31),
        ("August", 31),
        ("September", 30),
        ("October", 31),
        ("November", 30),
        ("December", 31),
    ]
}

#[cfg(test)]
mod tests {
    use super::{daytime, time};

    #[test]
    fn the_time_protocol_counts_from_1900_and_starts_anew_in_2036() {
        // The examples of RFC 868: the first of January 1970, and of May 1983.
        assert_eq!(time(0), 2_208_988_800_u32.to_be_bytes());
        assert_eq!(time(420_595_200), 2_629_584_000_u32.to_be_bytes());
        assert_eq!(time(2_085_978_496), [0; 4]);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "Thursday, January 1, 1970 00:00:00-UTC\r\n"),
            (951_782_399, "Monday, February 28, 2000 23:59:59-UTC\r\n"),
            (951_782_400, "Tuesday, February 29, 2000 00:00:00-UTC\r\n"),
            (1_735_689_599, "Tuesday, December 31, 2024 23:59:59-UTC\r\n"),
            (1_735_689_600, "Wednesday, January 1, 2025 00:00:00-UTC\r\n"),
            (4_107_542_400, "Monday, March 1, 2100 00:00:00-UTC\r\n"),
        ] {
            assert_eq!(daytime(seconds), text);
        }
    }
}
