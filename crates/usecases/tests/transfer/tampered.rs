use serde_json::{Value, json};
use tenantry_testkit::TestPlatform;
use tenantry_usecases::transfer::Kind;

use crate::{acme, exported, flaws, joined, kind, lines};

/// An archive with its lines changed by somebody who knows how trailers are made.
fn forged(test: &TestPlatform, archive: &[u8], change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
    let mut lines = lines(archive);
    let mut trailer: Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
    change(&mut lines);
    let records = trailer["records"].as_object_mut().unwrap();
    for (name, sum) in records {
        let of_kind: Vec<_> = lines.iter().filter(|line| kind(line) == *name).cloned().collect();
        *sum = json!({ "count": of_kind.len(), "sha256": test.platform.digest.hex(&joined(&of_kind)) });
    }
    trailer["lines"] = lines.len().into();
    trailer["sha256"] = test.platform.digest.hex(&joined(&lines)).into();
    lines.push(in_order(&trailer));
    joined(&lines)
}

/// The trailer in the order of members in which it is written.
fn in_order(trailer: &Value) -> String {
    let records: Vec<_> = Kind::RECORDS
        .map(Kind::as_str)
        .map(|kind| {
            let sum = &trailer["records"][kind];
            format!("\"{kind}\":{{\"count\":{},\"sha256\":{}}}", sum["count"], sum["sha256"])
        })
        .into();
    format!(
        "{{\"kind\":\"trailer\",\"records\":{{{}}},\"lines\":{},\"sha256\":{}}}",
        records.join(","),
        trailer["lines"],
        trailer["sha256"]
    )
}

/// The place of the first line of this kind.
fn first(lines: &[String], wanted: &str) -> usize {
    lines.iter().position(|line| kind(line) == wanted).unwrap()
}

#[test]
fn a_forgery_that_changes_nothing_is_the_archive_itself() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    assert_eq!(forged(&test, &archive, |_| ()), archive);
    assert_eq!(flaws(&test, &archive), [""; 0]);
}

#[test]
fn a_changed_byte_is_found_wherever_it_is_and_said_of_what_kind_it_is() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    let whole = lines(&archive);
    for (number, line) in whole.iter().enumerate() {
        let kind = kind(line);
        for place in (0..line.len()).step_by(1 + line.len() / 9) {
            let mut changed = whole.clone();
            let mut bytes = changed[number].clone().into_bytes();
            bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
            changed[number] = String::from_utf8_lossy(&bytes).into_owned();
            let found = flaws(&test, &joined(&changed)).join("\n");
            let named = found.contains(&format!("line {}:", number + 1))
                || found.contains(&format!("of kind {kind}"))
                || kind == "head" && found.contains("is not what was exported");
            assert!(named, "{kind}, line {}, byte {place}: {found}", number + 1);
        }
    }
}

#[test]
fn a_line_that_is_missing_doubled_or_elsewhere_is_found() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    let whole = lines(&archive);
    for number in 0..whole.len() {
        let (mut missing, mut doubled, mut swapped) = (whole.clone(), whole.clone(), whole.clone());
        missing.remove(number);
        doubled.insert(number, whole[number].clone());
        swapped.swap(number, (number + 1) % whole.len());
        for changed in [missing, doubled, swapped] {
            assert_ne!(flaws(&test, &joined(&changed)), [""; 0], "line {}", number + 1);
        }
        let mut without = whole.clone();
        let kind = kind(&without.remove(number));
        let found = flaws(&test, &joined(&without)).join("\n");
        match kind.as_str() {
            "head" => assert!(found.contains("an archive begins with its head"), "{found}"),
            "trailer" => assert!(found.contains("its trailer is missing"), "{found}"),
            kind => assert!(found.contains(&format!("of kind {kind}, and there are")), "{found}"),
        }
    }
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_not_whole() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    for length in (0..archive.len()).step_by(97).chain([archive.len() - 1]) {
        let found = flaws(&test, &archive[..length]);
        assert!(found.iter().any(|flaw| flaw.contains("cut off") || flaw.contains("has no end")), "{length}");
    }
    let more = [&archive[..], b"{}\n"].concat();
    assert!(!flaws(&test, &more).is_empty());
    assert!(!flaws(&test, b"no archive at all\n").is_empty());
}

#[test]
fn counts_and_hashes_of_the_trailer_are_not_believed() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    let whole = lines(&archive);
    let trailer: Value = serde_json::from_str(whole.last().unwrap()).unwrap();
    for kind in Kind::RECORDS.map(Kind::as_str) {
        for (member, wrong) in [("count", json!(77)), ("sha256", json!("00".repeat(32)))] {
            let mut other = trailer.clone();
            other["records"][kind][member] = wrong;
            let mut changed = whole.clone();
            *changed.last_mut().unwrap() = in_order(&other);
            let found = flaws(&test, &joined(&changed)).join("\n");
            assert!(found.contains(&format!("of kind {kind}")), "{found}");
        }
    }
    for (member, wrong) in [("lines", json!(3)), ("sha256", json!("00".repeat(32)))] {
        let mut other = trailer.clone();
        other[member] = wrong;
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() = in_order(&other);
        let found = flaws(&test, &joined(&changed)).join("\n");
        assert!(found.contains("is not what was exported"), "{found}");
    }
}

#[test]
fn what_cannot_be_true_is_found_though_the_hashes_were_made_to_fit() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    let swap = |kind: &'static str, from: &'static str, to: &'static str| {
        move |lines: &mut Vec<String>| {
            let place = first(lines, kind);
            let changed = lines[place].replacen(from, to, 1);
            assert_ne!(lines[place], changed, "{from} is there to be changed");
            lines[place] = changed;
        }
    };
    type Change = Box<dyn Fn(&mut Vec<String>)>;
    let remove =
        |kind: &'static str| -> Change { Box::new(move |lines| drop(lines.remove(first(lines, kind)))) };
    let cases: Vec<(Change, &str)> = vec![
        (Box::new(swap("event", "ADMIN", "USER")), "event 1: its hash is not that of the event"),
        (remove("event"), "event 2: its number does not follow the one before"),
        (
            Box::new(swap("event", "\"previous\":\"00", "\"previous\":\"01")),
            "it is not chained to the event before",
        ),
        (
            Box::new(swap("configuration", "\"version\":1", "\"version\":2")),
            "version 2, does not follow what comes before",
        ),
        (Box::new(swap("configuration", "requiredRole", "colour")), "version 1, is not acceptable"),
        (
            Box::new(|lines| {
                // The process that was removed says what the other one says, instead.
                let place = first(lines, "configuration");
                let kept: Value = serde_json::from_str(&lines[place]).unwrap();
                let text = &kept["data"]["document"];
                let document = format!(
                    "{{\"name\":{},\"processType\":{},\"steps\":[{{\"stepName\":\"x\",\"requiredRole\":\"y\"}}]}}",
                    text["name"], text["processType"]
                );
                lines[place + 2] =
                    lines[place + 2].replace("\"document\":null", &format!("\"document\":{document}"));
            }),
            "has a type and name that another one has",
        ),
        (Box::new(swap("config", "\"hash\":\"", "\"hash\":\"0")), "its hash is not that of the document"),
        (remove("config"), "is not there"),
        (remove("settings"), "the settings are missing"),
        (Box::new(swap("account", "\"configVersion\":2", "\"configVersion\":9")), "version 9, is not there"),
        (Box::new(swap("account", "\"meta\":", "\"more\":1,\"meta\":")), "it is no account"),
        (
            Box::new(swap("account", "\"asOf\":", "\"more\":1,\"asOf\":")),
            "it holds more than this version knows of",
        ),
        (Box::new(swap("user", "ADMIN", "KING")), "it is no user"),
        (Box::new(swap("mapping", "\"accountId\":\"acc_0", "\"accountId\":\"acc_f")), "is not there"),
        (Box::new(swap("trade", "\"accountId\":\"acc_0", "\"accountId\":\"acc_f")), "is not there"),
        (Box::new(swap("webhook", "account.*", "Account.*")), "it is no webhook"),
        (Box::new(swap("trade", "\"price\":1.1", "\"price\":-1")), "it is no trade"),
        (
            Box::new(|lines| {
                let place = first(lines, "mapping");
                lines.swap(place, place + 1);
            }),
            "is not in order",
        ),
        (
            Box::new(swap("head", "\"formatVersion\":4", "\"formatVersion\":77")),
            "this version reads tenantry-export up to version",
        ),
        (
            Box::new(|lines| {
                let place = first(lines, "user");
                lines.swap(place, place + 1);
            }),
            "is not in order",
        ),
        (
            Box::new(|lines| {
                let place = first(lines, "user");
                lines[place + 1] = lines[place + 1].replace("somebody@example.com", "ADMIN@acme.example");
            }),
            "has an address or a username that another one has",
        ),
        (remove("organisation"), ": cc_"),
        (Box::new(swap("organisation", "\"id\":\"cc_", "\"id\":\"porg_")), "is no company code"),
        (
            Box::new(|lines| {
                let place = first(lines, "organisation");
                lines.insert(place, lines[place].replace("\"version\":1", "\"version\":2"));
            }),
            "has a place that another one has",
        ),
    ];
    for (change, expected) in cases {
        let found = flaws(&test, &forged(&test, &archive, |lines| change(lines)));
        assert!(found.iter().any(|flaw| flaw.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn a_flawed_person_does_not_show_the_hash_of_their_password() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    let changed = forged(&test, &archive, |lines| {
        let place = first(lines, "user");
        lines[place] = lines[place].replace("\"verified\":true", "\"verified\":\"$fake$1$secret\"");
    });
    let found = flaws(&test, &changed);
    assert!(found.iter().any(|flaw| flaw.contains("it is no user")), "{found:?}");
    assert!(!found.join("").contains("$fake$"), "{found:?}");
}
