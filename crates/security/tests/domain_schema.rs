//! The schema that matters most: the one the domain generates for account configs.

use serde_json::{Value, json};
use tenantry_domain::config;
use tenantry_ports::{SchemaCheck as _, SchemaSource};
use tenantry_security::ValicoCheck;

fn codes(document: &Value) -> Vec<(String, String)> {
    let source = SchemaSource { name: "account-config", generate: config::schema };
    let found = ValicoCheck.findings(&source, document);
    found.into_iter().map(|finding| (finding.pointer.to_string(), finding.code.into_owned())).collect()
}

#[test]
fn the_demo_config_is_valid() {
    assert_eq!(codes(&config::demo::config()), []);
}

#[test]
fn everything_wrong_with_a_config_is_told() {
    let mut document = config::demo::config();
    document["colour"] = json!("red");
    document["challengeDefinitions"][0]["rules"]["drawdownMode"] = json!("trailling");
    document["challengeDefinitions"][0]["rules"]["maxDrawdown"] = json!("5%");
    document["challengeDefinitions"][0]["rules"]["minTradingDays"] = json!(-1);
    document.as_object_mut().unwrap().remove("id");
    let rules = "/challengeDefinitions/0/rules";
    assert_eq!(
        codes(&document),
        [
            (format!("{rules}/drawdownMode"), "not_allowed".to_owned()),
            (format!("{rules}/maxDrawdown"), "wrong_type".to_owned()),
            (format!("{rules}/minTradingDays"), "too_small".to_owned()),
            ("/colour".to_owned(), "unknown_member".to_owned()),
            ("/id".to_owned(), "required".to_owned()),
        ]
    );
}
