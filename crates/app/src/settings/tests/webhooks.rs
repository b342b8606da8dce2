use super::*;

#[test]
fn endpoints_may_be_where_the_settings_say() {
    let text = r#"
        [webhooks]
        allow_http = true
        allow_networks = "10.1.0.0/16, fd12:3456::/32"
        ports = "443 8443"
        timeout = "30s"
        excerpt = "0B"
    "#;
    let file = file(text);
    let pairs = [("TENANTRY_WEBHOOKS_ALLOW_PRIVATE", "true")];
    let webhooks = load(Some(file.path()), &environment(&pairs), &Vec::new()).unwrap().webhooks;
    assert!(webhooks.allow_private && webhooks.allow_http);
    assert_eq!(webhooks.networks.to_string(), "10.1.0.0/16, fd12:3456::/32");
    assert_eq!(webhooks.ports.to_string(), "443, 8443");
    assert_eq!((webhooks.timeout, webhooks.excerpt), (Duration::from_secs(30), 0));
}

#[test]
fn what_is_wrong_with_them_is_named() {
    let text = r#"
        [webhooks]
        allow_networks = "10.1.0.0/16, receiver"
        ports = "https"
        timeout = "5s"
        excerpt = "1MiB"
    "#;
    let refusal = refused(text, &[]);
    for expected in [
        "error: webhooks.allow_networks (FILE): 'receiver' is neither a network such as 10.1.0.0/16",
        "error: webhooks.ports (FILE): 'https' is no list of ports and ranges",
        "error: webhooks.timeout (FILE): '5s' is not within 15s and 30s",
        "error: webhooks.excerpt (FILE): '1MiB' is not within 0KiB and 64KiB",
    ] {
        assert!(refusal.contains(expected), "{expected}\n{refusal}");
    }
    assert_eq!(refusal.matches("error:").count(), 4, "{refusal}");
}
