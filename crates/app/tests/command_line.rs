//! The commands that need neither server nor database.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use serde_json::{Value, json};
use support::{directory, run, run_with_input};

#[test]
fn version_and_help_are_results_and_wrong_usage_is_status_2() {
    let here = directory();
    let version = run(here.path(), &["--version"], &[]);
    assert_eq!(
        (version.status, &*version.stdout),
        (0, concat!("tenantry ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    let help = run(here.path(), &["--help"], &[]);
    assert_eq!(help.status, 0);
    for command in [
        "serve",
        "migrate",
        "tenants",
        "keys",
        "doctor",
        "notices",
        "config",
        "account-config",
        "openapi",
        "completions",
    ] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{}", help.stdout);
    }
    for wrong in
        [&["serv"][..], &["serve", "--role", "boss"], &["keys", "create"], &["account-config", "validate"]]
    {
        let said = run(here.path(), wrong, &[]);
        assert_eq!((said.status, &*said.stdout), (2, ""), "{wrong:?}");
        assert!(said.stderr.contains("error:"), "{}", said.stderr);
    }
    assert!(run(here.path(), &["serv"], &[]).stderr.contains("'serve'"), "a near miss is named");
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn config_show_prints_every_setting_its_origin_and_no_secret() {
    let here = directory();
    std::fs::write(
        here.path().join("my.toml"),
        "[server]\nworkers = 3\n[secrets]\noperator_key = \"a-secret-operator-key-1\"\n",
    )
    .unwrap();
    let environment = [
        ("TENANTRY_DATABASE_URL", "postgres://ann:hunter2@db:5432/control?sslmode=require"),
        ("TENANTRY_SECRET_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        ("TENANTRY_CAPTCHA_SECRET", "0x4AAA-captcha"),
        ("TENANTRY_HMAC_SECRETS", "a-secret-to-sign-with-of-32-characters"),
        ("TENANTRY_SMTP_PASSWORD", "smtp-hunter"),
        ("TENANTRY_WEBHOOK_SECRETS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ];
    let said =
        run(here.path(), &["--config", "my.toml", "--data-dir", "elsewhere", "config", "show"], &environment);
    assert_eq!((said.status, &*said.stderr), (0, ""));
    let line = |name: &str| {
        let line = said.stdout.lines().find(|line| line.starts_with(&format!("{name} = ")));
        line.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("server.workers"), "server.workers = 3 # my.toml");
    assert_eq!(line("data_dir"), "data_dir = \"elsewhere\" # --data-dir");
    assert_eq!(line("secrets.operator_key"), "secrets.operator_key = \"••••••\" # my.toml");
    assert_eq!(line("secrets.secret_key"), "secrets.secret_key = \"••••••\" # TENANTRY_SECRET_KEY");
    assert_eq!(
        line("provisioning.captcha.secret"),
        "provisioning.captcha.secret = \"••••••\" # TENANTRY_CAPTCHA_SECRET"
    );
    assert_eq!(
        line("provisioning.hmac.secrets"),
        "provisioning.hmac.secrets = \"••••••\" # TENANTRY_HMAC_SECRETS"
    );
    assert_eq!(
        line("database.url"),
        "database.url = \"postgres://ann:••••••@db:5432/control?••••••\" # TENANTRY_DATABASE_URL"
    );
    assert_eq!(line("server.bind"), "server.bind = \"127.0.0.1:5000\" # default");

    let json = run(here.path(), &["--config", "my.toml", "config", "show", "--json"], &environment);
    let shown: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(shown["server.workers"], json!({ "value": 3, "origin": "my.toml" }));
    assert_eq!(shown["secrets.operator_key"]["value"], "••••••");
    for secret in [
        "hunter2",
        "a-secret-operator-key-1",
        "MDEyMzQ1",
        "0x4AAA",
        "to-sign-with",
        "smtp-hunter",
        "MfKQ9r8",
        "sslmode",
    ] {
        assert!(!said.stdout.contains(secret) && !json.stdout.contains(secret), "{secret}");
    }
    assert_eq!(shown.as_object().unwrap().len(), said.stdout.lines().count());
}

#[test]
fn what_config_show_prints_is_a_settings_file() {
    let here = directory();
    let shown = run(here.path(), &["config", "show"], &[("TENANTRY_BIND", "127.0.0.1:1234")]);
    std::fs::write(here.path().join("again.toml"), &shown.stdout).unwrap();
    let again = run(here.path(), &["--config", "again.toml", "config", "show"], &[]);
    let values = |text: &str| {
        text.lines().map(|line| line.split("  #").next().unwrap().trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(&again.stdout), values(&shown.stdout));
    assert!(again.stdout.contains("server.bind = \"127.0.0.1:1234\""));
}

#[test]
fn config_check_says_what_a_start_would_say() {
    let here = directory();
    assert_eq!(run(here.path(), &["config", "check"], &[]).status, 0);
    let public = ("TENANTRY_BIND", "0.0.0.0:5000");
    let said = run(here.path(), &["config", "check"], &[public]);
    assert_eq!(said.status, 1);
    assert!(said.stderr.contains("TENANTRY_PROVISIONING_ACCESS=operator"), "{}", said.stderr);
    let operator = ("TENANTRY_PROVISIONING_ACCESS", "operator");
    assert_eq!(run(here.path(), &["config", "check"], &[public, operator]).status, 0);
    let captcha = [
        public,
        ("TENANTRY_PROVISIONING_ACCESS", "captcha"),
        ("TENANTRY__PROVISIONING__CAPTCHA__PROVIDER", "hcaptcha"),
        ("TENANTRY_CAPTCHA_SECRET", "hunter2"),
    ];
    assert_eq!(run(here.path(), &["config", "check"], &captcha).status, 0);
    let signed = [
        public,
        ("TENANTRY_PROVISIONING_ACCESS", "hmac"),
        ("TENANTRY_HMAC_SECRETS", "a-secret-to-sign-with-of-32-characters"),
    ];
    assert_eq!(run(here.path(), &["config", "check"], &signed).status, 0);
    let lowered = run(here.path(), &["config", "check"], &[("TENANTRY_WEBHOOKS_ALLOW_PRIVATE", "true")]);
    assert_eq!(lowered.status, 0);
    assert!(
        lowered.stderr.contains("warning: webhooks of every tenant may call this machine"),
        "{}",
        lowered.stderr
    );
}

#[test]
fn the_schema_is_draft_07() {
    let said = run(directory().path(), &["account-config", "schema"], &[]);
    let schema: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert!(schema["required"].as_array().unwrap().contains(&json!("baseCapital")));
}

#[test]
fn openapi_prints_the_document() {
    let said = run(directory().path(), &["openapi"], &[]);
    let document: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document["openapi"].as_str().unwrap().get(..3), Some("3.1"));
    let init = |document: &Value| document["paths"]["/provision/tenants/init"]["post"]["security"].clone();
    assert_eq!(init(&document), json!([]));
    let said = run(directory().path(), &["openapi"], &[("TENANTRY_PROVISIONING_ACCESS", "operator")]);
    let guarded: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(init(&guarded)[0], json!({ "bearer": ["operator"] }));
    let signed = [
        ("TENANTRY_PROVISIONING_ACCESS", "hmac"),
        ("TENANTRY_HMAC_SECRETS", "a-secret-to-sign-with-of-32-characters"),
        ("TENANTRY__PROVISIONING__HMAC__WINDOW", "90s"),
        ("TENANTRY__PROVISIONING__RATE_LIMIT__ORDERS_PER_MINUTE", "7"),
    ];
    let said = run(directory().path(), &["openapi"], &signed);
    let document: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(init(&document)[0], json!({ "signature": [] }));
    let about = document["components"]["securitySchemes"]["signature"]["description"].as_str().unwrap();
    assert!(about.contains("90 seconds off"), "{about}");
    let about = document["paths"]["/provision/tenants/init"]["post"]["description"].as_str().unwrap();
    assert!(about.contains("and 7 a minute are taken"), "{about}");
    assert!(!said.stdout.contains("to-sign-with"));
}

/// A config in which nothing is wrong.
fn sound(id: &str) -> Value {
    json!({
        "id": id, "displayName": "Twenty-five", "baseCapital": 25000, "variant": "evaluation",
        "challengeDefinitions": [
            { "id": "phase-1", "name": "One", "rules": { "profitTarget": 0.08, "maxDrawdown": 0.08, "dailyLossLimit": 0.03 } }
        ],
        "payoutRules": {
            "stagedPayouts": [{ "milestone": "phase-1-pass", "payoutPercent": 100 }],
            "escrowPolicy": { "holdPeriodDays": 14, "releaseConditions": {} }
        }
    })
}

#[test]
fn account_configs_are_validated_with_every_finding_at_its_place() {
    let here = directory();
    let write =
        |name: &str, document: &Value| std::fs::write(here.path().join(name), document.to_string()).unwrap();
    write("sound.json", &sound("sound-v1"));
    let mut broken = sound("broken-v1");
    broken["currency"] = json!("usd");
    broken["surprise"] = json!(1);
    broken["baseCapital"] = json!(10);
    broken["challengeDefinitions"][0]["rules"]["dailyLossLimit"] = json!(0.2);
    broken["payoutRules"]["stagedPayouts"][0]["payoutPercent"] = json!(50);
    write("broken.json", &broken);
    write(
        "child.json",
        &json!({ "id": "child-v1", "displayName": "Child", "parentConfigId": "sound-v1", "baseCapital": 50000 }),
    );
    std::fs::write(here.path().join("half.json"), "{ \"id\": ").unwrap();

    let fine = run(here.path(), &["account-config", "validate", "child.json", "sound.json"], &[]);
    assert_eq!((fine.status, &*fine.stdout, &*fine.stderr), (0, "child.json: OK\nsound.json: OK\n", ""));

    let orphan = run(here.path(), &["account-config", "validate", "child.json"], &[]);
    assert_eq!(orphan.status, 1);
    assert!(
        orphan.stdout.contains("child.json: /parentConfigId: There is no config 'sound-v1'"),
        "{}",
        orphan.stdout
    );
    assert!(orphan.stdout.contains("[parent_not_found]"), "{}", orphan.stdout);

    let all = ["account-config", "validate", "broken.json", "half.json", "sound.json"];
    let said = run(here.path(), &all, &[]);
    assert_eq!(said.status, 1);
    assert_eq!(said.stdout, include_str!("golden/validate.txt"));
    assert_eq!(said.stderr, include_str!("golden/validate.stderr.txt"));

    let said = run(here.path(), &[&all[..], &["--json"]].concat(), &[]);
    assert_eq!(said.status, 1);
    assert_eq!(said.stdout, include_str!("golden/validate.json"));
    assert_eq!(said.stderr, "");
}

#[test]
fn a_dash_is_standard_input_and_a_missing_file_is_named() {
    let here = directory();
    let said =
        run_with_input(here.path(), &["account-config", "validate", "-"], &sound("sound-v1").to_string());
    assert_eq!((said.status, &*said.stdout), (0, "standard input: OK\n"));
    let said = run(here.path(), &["account-config", "validate", "nowhere.json"], &[]);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains("cannot read nowhere.json") && said.stderr.contains("fix:"),
        "{}",
        said.stderr
    );
}

#[test]
fn inheritance_among_files_goes_over_several_generations_and_circles_are_found() {
    let here = directory();
    let write =
        |name: &str, document: &Value| std::fs::write(here.path().join(name), document.to_string()).unwrap();
    write("a.json", &sound("a-v1"));
    write("b.json", &json!({ "id": "b-v1", "displayName": "B", "parentConfigId": "a-v1" }));
    write("c.json", &json!({ "id": "c-v1", "displayName": "C", "parentConfigId": "b-v1" }));
    let said = run(here.path(), &["account-config", "validate", "c.json", "b.json", "a.json"], &[]);
    assert_eq!((said.status, &*said.stdout), (0, "c.json: OK\nb.json: OK\na.json: OK\n"));

    write("a.json", &json!({ "id": "a-v1", "displayName": "A", "parentConfigId": "c-v1" }));
    let said = run(here.path(), &["account-config", "validate", "c.json", "b.json", "a.json"], &[]);
    assert_eq!(said.status, 1);
    assert_eq!(said.stdout.matches("[parent_cycle]").count(), 3, "{}", said.stdout);
}
