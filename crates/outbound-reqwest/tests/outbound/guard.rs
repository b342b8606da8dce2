//! Where no call of an endpoint goes, whatever its URL says and its name resolves to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenantry_outbound_reqwest::{EndpointRules, GuardedEndpoints, OwnPlace, Ports};
use tenantry_ports::{EndpointFailure, EndpointSender, FailureClass};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::endpoints::{CONNECT, call, settings};
use crate::names::{Names, SilentNames};
use crate::provider::{Canary, Provider, response, send};

const PATIENT: Duration = Duration::from_secs(20);

/// An address of this machine that takes the part of one on the internet: it is allowed, and its neighbour is not.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// The rules of a tenant that tries everything: `http` to any port, and nowhere but [`PUBLIC`].
fn rules() -> EndpointRules {
    EndpointRules {
        allow_http: true,
        networks: PUBLIC.to_string().parse().unwrap(),
        ports: "1-65535".parse().unwrap(),
        ..EndpointRules::default()
    }
}

fn sender(rules: EndpointRules, names: &Arc<Names>) -> GuardedEndpoints {
    GuardedEndpoints::with_names(settings(rules), Arc::clone(names) as _)
}

/// A receiver that may be called, and a canary at the same port of the address beside it.
fn neighbours() -> (Provider, Canary) {
    loop {
        let receiver = Provider::at(PUBLIC, |wire| send(wire, response(200, "").as_bytes()));
        if let Ok(canary) = Canary::at((Ipv4Addr::LOCALHOST, receiver.address().port()).into()) {
            return (receiver, canary);
        }
    }
}

async fn unreachable(sender: &GuardedEndpoints, url: &str) -> EndpointFailure {
    let failure = call(sender, url, PATIENT).await.expect_err(url);
    assert_eq!(failure.class, FailureClass::Unreachable, "{url}: {failure:?}");
    failure
}

/// Each is a way in that somebody once left open.
const HOSTS: [&str; 48] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.01",
    "１２７.0.0.1",
    "127。0。0。1",
    "127．0．0．1",
    "①②⑦.0.0.1",
    "%31%32%37.0.0.1",
    "127.0.0.1%00",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::80ff:fffe]",
    "[::1%25lo]",
    "[::1%lo]",
    "[fe80::1%25lo]",
    "[example.com]",
    "[127.0.0.1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ip6-localhost",
    "localhost.localdomain",
    "a.localhost",
    "127.0.0.1.nip.io",
    "rebinding.example",
    "rebinding.example.",
    "rebinding。example",
    "ann@127.0.0.1",
    "ann:hunter2@rebinding.example",
    "hooks.example.com@127.0.0.1",
    "hooks.example.com\\@127.0.0.1",
];

#[tokio::test]
async fn no_spelling_of_this_machine_is_connected_to() {
    let canary = Canary::everywhere();
    let port = canary.address().port();
    // Every name leads here, by whichever of these addresses.
    let names = Names::saying(&[
        &["127.0.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["0.0.0.0"],
        &["::"],
        &["64:ff9b::7f00:1"],
    ]);
    let sender = Arc::new(sender(rules(), &names));
    let mut calls = JoinSet::new();
    for host in HOSTS {
        for scheme in ["http", "https"] {
            let (sender, url) = (Arc::clone(&sender), format!("{scheme}://{host}:{port}/"));
            calls.spawn(async move { unreachable(&sender, &url).await });
        }
    }
    let failures = calls.join_all().await;
    assert_eq!(failures.len(), 2 * HOSTS.len());
    // Those that are names came as far as their addresses, and were stopped there.
    let resolved = names.asked().len();
    assert!(resolved >= 6, "{:?}", names.asked());
    let stopped = failures.iter().filter(|failure| failure.detail.contains("address")).count();
    assert!(stopped >= resolved, "{failures:?}");
    assert!(canary.is_untouched());
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_followed_only_the_first_time() {
    let (receiver, canary) = neighbours();
    let names = Names::saying(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let sender = sender(rules(), &names);
    let url = format!("http://rebinding.example:{}/", receiver.address().port());
    for round in 1..=3 {
        assert_eq!(call(&sender, &url, PATIENT).await.unwrap().status, 200);
        let failure = unreachable(&sender, &url).await;
        assert!(failure.detail.contains("127.0.0.1 is a loopback address"), "{failure:?}");
        assert!(!failure.to_string().contains("127.0.0.1"), "{failure}");
        assert_eq!((names.asked().len(), receiver.heard().len()), (2 * round, round));
    }
    assert!(canary.is_untouched());
}

#[tokio::test]
async fn one_address_that_must_not_be_called_spoils_the_whole_answer() {
    let (receiver, canary) = neighbours();
    let url = format!("http://mixed.example:{}/", receiver.address().port());
    for answer in [
        ["127.0.0.2", "127.0.0.1"],
        ["127.0.0.1", "127.0.0.2"],
        ["127.0.0.2", "::1"],
        ["fe80::1", "127.0.0.2"],
    ] {
        unreachable(&sender(rules(), &Names::saying(&[&answer])), &url).await;
    }
    assert!(receiver.heard().is_empty() && canary.is_untouched());
    let fine = sender(rules(), &Names::saying(&[&["127.0.0.2", "127.0.0.2"]]));
    assert_eq!(call(&fine, &url, PATIENT).await.unwrap().status, 200);
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let canary = Canary::everywhere();
    let port = canary.address().port();
    for status in [301, 302, 303, 307, 308] {
        for to in [Ipv4Addr::LOCALHOST.into(), PUBLIC] {
            let location = format!("http://{}/", SocketAddr::new(to, port));
            let line = format!("\r\nlocation: {location}\r\n");
            let receiver = Provider::at(PUBLIC, move |wire| {
                send(wire, response(status, "").replacen("\r\n", &line, 1).as_bytes());
            });
            let sender = sender(rules(), &Names::saying(&[&["127.0.0.2"]]));
            let url = format!("http://hooks.example.com:{}/", receiver.address().port());
            let answer = call(&sender, &url, PATIENT).await.unwrap();
            assert_eq!((answer.status, answer.is_success()), (status, false));
            assert!(answer.headers.contains(&("location", location)), "{:?}", answer.headers);
        }
    }
    assert!(canary.is_untouched());
}

/// A port at which connections wait for ever, as behind a firewall that drops them: nobody accepts those that fill its queue.
async fn filtered() -> (Vec<TcpStream>, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((PUBLIC, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    // It goes on listening, and is never heard of again.
    Box::leak(Box::new(listener));
    (waiting, address)
}

#[tokio::test]
async fn a_tenant_cannot_tell_why_nobody_was_reached() {
    let (_waiting, filtered) = filtered().await;
    let (receiver, canary) = neighbours();
    let closed = Canary::at((PUBLIC, 0).into()).unwrap().address();
    let no_http = Provider::at(PUBLIC, |wire| send(wire, b"220 mail.example.com ESMTP\r\n"));
    let port = receiver.address().port();
    let cases = [
        ("an address that is not allowed", format!("http://127.0.0.1:{port}/"), &["127.0.0.2"][..]),
        ("a name that leads to one", format!("http://inside.example.com:{port}/"), &["127.0.0.1"]),
        (
            "a name that leads to one where nobody listens",
            "http://inside.example.com:1/".to_owned(),
            &["10.0.0.7"],
        ),
        ("a name nobody knows", format!("http://nobody.example.com:{port}/"), &[]),
        ("a closed port", format!("http://{closed}/"), &["127.0.0.2"]),
        ("a filtered port", format!("http://{filtered}/"), &["127.0.0.2"]),
        ("a server that speaks no HTTP", format!("http://{}/", no_http.address()), &["127.0.0.2"]),
        ("a server that speaks no TLS", format!("https://{}/", receiver.address()), &["127.0.0.2"]),
    ];
    for (case, url, answer) in cases {
        let sender = sender(rules(), &Names::saying(&[answer]));
        let started = Instant::now();
        let failure = unreachable(&sender, &url).await;
        let took = started.elapsed();
        assert_eq!(failure.to_string(), FailureClass::Unreachable.to_string());
        assert!((CONNECT..CONNECT * 3).contains(&took), "{case} took {took:?}");
        assert!(!failure.detail.is_empty() && !failure.detail.contains("/siteverify"), "{case}: {failure:?}");
    }
    assert!(canary.is_untouched());
}

#[tokio::test]
async fn our_own_servers_are_not_called_even_in_development() {
    let (ours, database, receiver) = (Canary::everywhere(), Canary::new(), Provider::saying(200, ""));
    let (api, sql) = (ours.address().port(), database.address().port());
    let own = |host: &str, port| OwnPlace { host: host.to_owned(), port };
    let rules = EndpointRules {
        allow_private: true,
        own: vec![own("0.0.0.0", api), own("db.example.com", sql)],
        ..EndpointRules::default()
    };
    let names = Names::saying(&[&["127.0.0.1"]]);
    let sender = sender(rules.clone(), &names);
    for host in ["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "localhost", "hooks.example.com"] {
        for port in [api, sql] {
            let failure = unreachable(&sender, &format!("http://{host}:{port}/")).await;
            assert!(failure.detail.contains("is an address of our own server"), "{failure:?}");
        }
    }
    assert_eq!(call(&sender, &receiver.endpoint(), PATIENT).await.unwrap().status, 200);
    // Where the database is cannot be found out: then nothing at its port is called.
    let rules = EndpointRules { own: vec![own("db.example.com", sql)], ..rules };
    let blind = self::sender(rules, &Names::saying(&[&[]]));
    let failure = unreachable(&blind, &format!("http://127.0.0.1:{sql}/")).await;
    assert!(failure.detail.contains("db.example.com, which does not resolve"), "{failure:?}");
    assert_eq!(call(&blind, &receiver.endpoint(), PATIENT).await.unwrap().status, 200);
    assert!(ours.is_untouched() && database.is_untouched());
}

#[tokio::test]
async fn a_resolver_that_does_not_answer_keeps_nobody_waiting_for_longer() {
    let canary = Canary::new();
    let port = canary.address().port();
    let own = vec![OwnPlace { host: "db.example.com".to_owned(), port }];
    let rules = EndpointRules { allow_private: true, own, ..EndpointRules::default() };
    let sender = GuardedEndpoints::with_names(settings(rules), Arc::new(SilentNames));
    for url in [format!("http://127.0.0.1:{port}/"), format!("http://hooks.example.com:{port}/")] {
        let started = Instant::now();
        unreachable(&sender, &url).await;
        assert!((CONNECT..PATIENT).contains(&started.elapsed()), "{url}");
    }
    assert!(canary.is_untouched());
}

#[tokio::test]
async fn what_was_taken_once_is_checked_again_when_it_is_called() {
    let canary = Canary::new();
    let port = canary.address().port();
    let names = Names::saying(&[&["127.0.0.1"]]);
    let before = sender(EndpointRules { allow_private: true, ..EndpointRules::default() }, &names);
    for (url, rules) in [
        (format!("http://127.0.0.1:{port}/"), rules()),
        (format!("http://hooks.example.com:{port}/"), rules()),
        (format!("http://127.0.0.1:{port}/"), EndpointRules { allow_http: false, ..rules() }),
        (
            format!("http://127.0.0.2:{port}/"),
            EndpointRules { ports: Ports::default(), allow_http: false, ..rules() },
        ),
    ] {
        let taken = before.check(&url).unwrap();
        assert_eq!(taken.as_str(), url);
        unreachable(&sender(rules, &names), taken.as_str()).await;
    }
    assert!(canary.is_untouched());
}

/// With the system's own resolver, which knows this machine by name.
#[tokio::test]
async fn the_systems_resolver_is_checked_like_any_other() {
    let canary = Canary::everywhere();
    let port = canary.address().port();
    let sender = GuardedEndpoints::new(settings(rules()));
    let failure = unreachable(&sender, &format!("http://localhost:{port}/")).await;
    assert!(failure.detail.contains("is a loopback address"), "{failure:?}");
    assert!(canary.is_untouched());
    let development = EndpointRules { allow_private: true, ..EndpointRules::default() };
    let receiver = Provider::saying(200, "");
    let sender = GuardedEndpoints::new(settings(development));
    let url = format!("http://localhost:{}/", receiver.address().port());
    assert_eq!(call(&sender, &url, PATIENT).await.unwrap().status, 200);
}
