use std::collections::BTreeMap;

use tenantry_domain::tenant::{ClusterName, Plan};

use super::*;

const MAIN: (&str, &str) = ("TENANTRY_DATABASE_URL", "postgres://u:hunter2@main/control");

fn name(text: &str) -> ClusterName {
    ClusterName::new(text).unwrap()
}

#[test]
fn servers_are_named_in_the_file_and_in_the_environment() {
    let text = r#"
        [tenant_databases.clusters.eu-1]
        url = "postgres://u:hunter2@file/postgres"
        [tenant_databases.clusters.us]
        url = "postgres://u:hunter2@us/postgres"
        [tenant_databases.placement]
        premium = "eu-1"
        basic = "main"
    "#;
    let (text, secret) = (file(text), file("postgres://u:hunter2@asia/postgres\n"));
    let pairs = [
        MAIN,
        ("TENANTRY__TENANT_DATABASES__CLUSTERS__EU_1__URL", "postgres://u:hunter2@variable/postgres"),
        ("TENANTRY__TENANT_DATABASES__CLUSTERS__ASIA_2__URL_FILE", secret.path().to_str().unwrap()),
    ];
    let layers = layers(Some(text.path()), &environment(&pairs), &Vec::new()).unwrap();
    let settings = Settings::read(&layers).unwrap();
    let shown = format!("{:?}", settings.stores.clusters);
    assert_eq!(
        shown,
        "{ClusterName(\"asia-2\"): postgres://asia/postgres, ClusterName(\"eu-1\"): postgres://variable/postgres, \
         ClusterName(\"us\"): postgres://us/postgres}"
    );
    let by_plan = BTreeMap::from([(Plan::Basic, name("main")), (Plan::Premium, name("eu-1"))]);
    assert_eq!(settings.provisioning.by_plan, by_plan);
    let shown: Vec<_> = layers
        .iter()
        .filter(|(name, ..)| name.contains("clusters"))
        .map(|(name, value, _)| format!("{name} = {}", masked(name, value)))
        .collect();
    assert_eq!(shown.len(), 3);
    assert_eq!(shown[1], "tenant_databases.clusters.eu-1.url = \"postgres://u:••••••@variable/postgres\"");
    assert!(!format!("{settings:?}{shown:?}").contains("hunter2"));
}

#[test]
fn servers_that_cannot_be_are_named_and_their_passwords_are_not() {
    let text = r#"
        [tenant_databases.clusters.main]
        url = "postgres://u:hunter2@main/postgres"
        [tenant_databases.clusters.Eu]
        url = "postgres://u:hunter2@eu/postgres"
        [tenant_databases.clusters.file]
        url = "sqlite:hunter2.db"
        [tenant_databases.clusters.bad]
        url = "mysql://u:hunter2@bad/postgres"
        [tenant_databases.placement]
        premium = "us"
    "#;
    let refusal = refused(text, &[MAIN]);
    for expected in [
        "error: tenant_databases.clusters.main.url (FILE): 'main' is the server of database.url",
        "error: tenant_databases.clusters.Eu.url (FILE): A cluster's name begins with a letter",
        "error: tenant_databases.clusters.file.url (FILE): a server is a PostgreSQL server",
        "error: tenant_databases.clusters.bad.url (FILE): there is no such kind of database",
        "error: tenant_databases.placement.premium (FILE): there is no [tenant_databases.clusters.us]",
    ] {
        assert!(refusal.contains(expected), "{expected}\n{refusal}");
    }
    assert_eq!(refusal.matches("error:").count(), 5, "{refusal}");
    assert!(!refusal.contains("hunter2"), "{refusal}");

    let server = "[tenant_databases.clusters.eu]\nurl = \"postgres://u:hunter2@eu/postgres\"\n";
    assert!(refused(server, &[]).contains("with a SQLite control database there are no servers"));
    let number = refused("[tenant_databases.clusters.eu]\nurl = 1\n", &[MAIN]);
    assert!(
        number.contains("tenant_databases.clusters.eu.url (FILE): expected text in quotes, found 1"),
        "{number}"
    );
    let twice = [
        MAIN,
        ("TENANTRY__TENANT_DATABASES__CLUSTERS__EU__URL", "postgres://u:hunter2@eu/postgres"),
        ("TENANTRY__TENANT_DATABASES__CLUSTERS__EU__URL_FILE", "/nowhere"),
    ];
    assert!(refused("", &twice).contains("keep one of them"));
}

#[test]
fn tenants_enter_with_logins_of_their_own_unless_told() {
    assert!(load(None, &environment(&[MAIN]), &Vec::new()).unwrap().own_logins);
    let told = [MAIN, ("TENANTRY__TENANT_DATABASES__OWN_LOGINS", "false")];
    assert!(!load(None, &environment(&told), &Vec::new()).unwrap().own_logins);
}
