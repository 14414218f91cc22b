//! What the example `dns` says of a zone that it cannot serve.

use std::fs;

use support::{Ended, Place, Program};

#[test]
fn a_zone_that_makes_no_sense_is_named() {
    let place = Place::new();
    let file = place.path("broken.zone");
    let soa = "$ORIGIN example.com.\n@ 60 SOA ns admin (\n  1 2 3 4 5 ) ; all of them\n";
    let many = "name 60 A 192.0.2.1\n".repeat(1_000);
    for (zone, problem) in [
        ("$ORIGIN example.com.\nwww 60 A 192.0.2.1\n".to_owned(), ": there is no SOA record"),
        (format!("{soa}{many}www 60 A 192.0.2.1.2\n{many}"), ": line 1004: network address parse error: invalid IPv4"),
        (format!("{soa}\n\nwww 60 WHAT 192.0.2.1\n{many}"), ": line 6: proto error: decoding error: record type"),
        (format!("{soa}www 60 A 192.0.2.1\r\nmail 60 MX 10"), ": line 5: token is missing: exchange"),
        (format!("{soa}www 60 MX (\n  10 )\n{many}"), ": line 5: token is missing: exchange"),
        (format!("{soa}$INCLUDE missing.zone\n"), ": line 4: io error: No such file"),
        (format!("{soa}www 60 TXT ( one\n{many}"), ": lexer error: unclosed list"),
        ("$ORIGIN example.com.\n@ SOA ns admin 1 2 3 4 5\n".to_owned(), ": line 2: record ttl not specified"),
        (format!("{soa}www.example.org. 60 A 192.0.2.1\n"), ": www.example.org. is not in the zone example.com."),
    ] {
        fs::write(&file, &zone).unwrap();
        let Ended { status, log: error, .. } = Program::start("dns", &["--zone", file.to_str().unwrap()]).wait();
        assert!(!status.success(), "{zone}");
        assert!(error.contains(&format!("broken.zone{problem}")), "{zone}: {error}");
    }
}
