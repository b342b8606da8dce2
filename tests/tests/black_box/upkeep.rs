//! What is past its time goes, and what is left still shows that it is what was written.

use std::time::Instant;

use serde_json::{Value, json};
use tenantry_tests::{Backend, Client, Installation, PATIENCE, for_each_backend};

use crate::events::{EVENTS, caller, provision, verify};
use crate::steps::tenant;

const WEEK: [(&str, &str); 1] = [("TENANTRY__EVENTS__RETENTION", "7d")];
/// Eight days, in seconds.
const LATER: [(&str, &str); 1] = [("TENANTRY_TEST_CLOCK_AHEAD", "691200")];

/// The places of the events there are.
fn places(client: &mut Client) -> Vec<i64> {
    let page = client.get(EVENTS).expect(200).json();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["meta"]["sequence"].as_i64().unwrap())
        .collect()
}

fn flaw(installation: &Installation) -> (Value, Value) {
    let (whole, told) = verify(installation, &["--tenant", "acme"]);
    assert!(!whole, "{told}");
    (told["flaw"]["sequence"].clone(), told["flaw"]["code"].clone())
}

#[test]
fn old_events_go_and_the_log_is_verified_from_where_it_begins_then() {
    for_each_backend(|backend| {
        let installation = Installation::with(backend, &WEEK);
        let mut before = installation.start();
        tenant(&before, "acme");
        let mut client = caller(&before);
        provision(&mut client, 5);
        let first = client.get(EVENTS).expect(200).json()["items"][0]["id"].as_str().unwrap().to_owned();
        assert!(before.terminate().success());

        let mut after = installation.start_with(&[], &LATER);
        let mut client = caller(&after);
        let begun = Instant::now();
        while places(&mut client) != [5] {
            assert!(begun.elapsed() < PATIENCE, "what is past its time stays: {:?}", places(&mut client));
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        provision(&mut client, 3);
        assert_eq!(places(&mut client), [5, 6, 7, 8]);
        let gone = client.get(&format!("{EVENTS}?after={first}")).expect(410).json();
        assert_eq!((&gone["code"], &gone["firstSequence"]), (&json!("events_expired"), &json!(5)));
        assert!(after.terminate().success());
        let (whole, told) = verify(&installation, &[]);
        assert!(whole, "{told}");
        assert_eq!((&told["firstSequence"], &told["entries"]), (&json!(5), &json!(4)));

        // Whoever has the server's password can do this, and has no key.
        if let Backend::Postgres(server) = backend {
            let name = installation.tenant_databases().remove(0);
            let sql = |sql: &str| server.query(&name, sql).unwrap();
            sql("CREATE TABLE kept AS SELECT * FROM events");
            sql("DELETE FROM events WHERE sequence = 5");
            assert_eq!(flaw(&installation), (json!(5), json!("missing")));
            sql(
                "UPDATE log_floor SET (sequence, hash) = (SELECT sequence, hash FROM kept WHERE sequence = 5)",
            );
            assert_eq!(flaw(&installation), (json!(5), json!("forged_floor")));
        }
    });
}
