//! Who may order a tenant, and how many.

use tenantry_http_actix::{RateLimit, RateLimits};
use tenantry_ports::MacCheck as _;

use super::*;

/// What a captcha takes at least.
fn captcha() -> [(&'static str, &'static str); 3] {
    [
        ("TENANTRY_PROVISIONING_ACCESS", "captcha"),
        ("TENANTRY__PROVISIONING__CAPTCHA__PROVIDER", "turnstile"),
        ("TENANTRY_CAPTCHA_SECRET", "0x4AAA"),
    ]
}

#[test]
fn a_captcha_is_checked_where_and_as_the_settings_say() {
    let settings = |more: &[(&str, &str)]| {
        let settings = load(None, &environment(&[&captcha()[..], more].concat()), &Vec::new()).unwrap();
        assert!(!format!("{settings:?}").contains("0x4AAA"));
        let Access::Captcha(captcha) = settings.provisioning.access else { panic!("{settings:?}") };
        captcha
    };
    let plain = settings(&[]);
    assert_eq!(plain.endpoint, tenantry_outbound_reqwest::endpoint::TURNSTILE);
    assert_eq!((plain.secret.expose(), plain.expected_hostname), ("0x4AAA", None));
    assert_eq!(plain.timeout, Duration::from_secs(5));
    let full = settings(&[
        ("TENANTRY__PROVISIONING__CAPTCHA__ENDPOINT", "https://captcha.example/siteverify"),
        ("TENANTRY__PROVISIONING__CAPTCHA__HOSTNAME", "www.example.com"),
        ("TENANTRY__PROVISIONING__CAPTCHA__TIMEOUT", "500ms"),
    ]);
    assert_eq!(full.endpoint, "https://captcha.example/siteverify", "takes the place of the provider's");
    assert_eq!(full.expected_hostname.as_deref(), Some("www.example.com"));
    assert_eq!(full.timeout, Duration::from_millis(500));
}

#[test]
fn a_captcha_that_lacks_something_is_told_all_it_lacks() {
    let refusal = refused("", &captcha()[..1]);
    for expected in [
        "error: provisioning.captcha.secret: with provisioning.access = captcha this is needed; set TENANTRY_CAPTCHA_SECRET",
        "error: provisioning.captcha.provider: with provisioning.access = captcha this is needed; set turnstile",
    ] {
        assert!(refusal.contains(expected), "{refusal}");
    }
    assert_eq!(refusal.matches("error:").count(), 2, "{refusal}");
    let wrong =
        refused("[provisioning.captcha]\nprovider = \"cloudflare\"\nsecret = \"a b\"\n", &captcha()[..1]);
    assert_eq!(wrong.matches("error:").count(), 2, "what is wrong is not missing: {wrong}");
}

#[test]
fn an_open_server_on_a_public_address_is_insecure_unless_told() {
    let settings = |pairs: &[(&str, &str)]| load(None, &environment(pairs), &Vec::new()).unwrap();
    for address in ["0.0.0.0:5000", "[::]:5000", "192.168.1.2:5000"] {
        let problem = insecure(&settings(&[("TENANTRY_BIND", address)])).unwrap().to_string();
        assert!(
            problem.contains(address) && problem.contains("TENANTRY_PROVISIONING_ACCESS=operator (or hmac"),
            "{problem}"
        );
        for told in [
            &[("TENANTRY_PROVISIONING_ACCESS", "operator")][..],
            &[("TENANTRY__PROVISIONING__ALLOW_OPEN_ON_PUBLIC", "true")],
            &captcha(),
            &hmac(),
        ] {
            assert_eq!(insecure(&settings(&[&[("TENANTRY_BIND", address)], told].concat())), None);
        }
    }
    assert_eq!(insecure(&settings(&[("TENANTRY_BIND", "[::1]:5000")])), None);
}

const OLD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What signed requests take at least.
fn hmac() -> [(&'static str, &'static str); 2] {
    [("TENANTRY_PROVISIONING_ACCESS", "hmac"), ("TENANTRY_HMAC_SECRETS", OLD)]
}

#[test]
fn signed_requests_need_a_secret_and_take_two() {
    let settings = |pairs: &[(&str, &str)]| {
        let settings = load(None, &environment(pairs), &Vec::new()).unwrap();
        assert!(!format!("{settings:?}").contains(&OLD[..9]), "{settings:?}");
        let Access::Hmac { secrets, window } = settings.provisioning.access else { panic!("{settings:?}") };
        (secrets, window)
    };
    // HMAC-SHA256 of "message" under OLD and NEW: `printf message | openssl dgst -sha256 -hmac …`.
    let new = "t7Jm+S/0cBRwTqQ4Zs2VgUe8yLhPxk3n1A9dFoCiWvE=";
    let macs = [
        [
            0xc4, 0xff, 0x23, 0xa7, 0xde, 0x94, 0x14, 0x14, 0xcf, 0x96, 0xf4, 0x11, 0x60, 0x04, 0x0a, 0x55,
            0xef, 0x72, 0xe3, 0x31, 0x7a, 0x54, 0xc9, 0x91, 0x8f, 0x9b, 0x42, 0x98, 0x73, 0xc2, 0xeb, 0xdf,
        ],
        [
            0xa3, 0xa7, 0xd8, 0x8a, 0xc5, 0xd0, 0x24, 0x64, 0x42, 0x09, 0x94, 0x10, 0xdd, 0xeb, 0x5a, 0x54,
            0xeb, 0x1b, 0xad, 0x4e, 0xba, 0x8b, 0x7e, 0x2f, 0xbe, 0x3e, 0x3b, 0xb4, 0x60, 0xf1, 0x39, 0xab,
        ],
    ];
    let (secrets, window) = settings(&hmac());
    assert_eq!(window, Duration::from_secs(300));
    assert_eq!(macs.map(|mac| secrets.verify(b"message", &mac)), [true, false]);
    let both = file(&format!("{OLD}\n{new}\n"));
    let (secrets, window) = settings(&[
        hmac()[0],
        ("TENANTRY_HMAC_SECRETS_FILE", both.path().to_str().unwrap()),
        ("TENANTRY__PROVISIONING__HMAC__WINDOW", "30s"),
    ]);
    assert_eq!(window, Duration::from_secs(30));
    assert_eq!(macs.map(|mac| secrets.verify(b"message", &mac)), [true, true]);
    let refusal = refused("", &hmac()[..1]);
    let expected = "error: provisioning.hmac.secrets: with provisioning.access = hmac this is needed; set TENANTRY_HMAC_SECRETS";
    assert!(refusal.contains(expected), "{refusal}");
    assert_eq!(refusal.matches("error:").count(), 1, "{refusal}");
    let three = format!("{OLD} {OLD} {OLD}");
    let refusal = refused("", &[hmac()[0], ("TENANTRY_HMAC_SECRETS", &three)]);
    assert!(refusal.contains("one secret is needed, or two while one is being replaced"), "{refusal}");
    assert!(!refusal.contains(&OLD[..9]), "{refusal}");
}

#[test]
fn each_rate_is_set_on_its_own_and_proxies_are_named() {
    let text = r#"
        [server]
        trusted_proxies = "10.0.0.0/8, 192.0.2.7"
        [provisioning.rate_limit]
        orders_per_minute = 1
        orders_burst = 2
        status_per_minute = 3
        status_burst = 4
        [auth.rate_limit]
        logins_per_minute = 0
        logins_burst = 6
    "#;
    let settings = load(Some(file(text).path()), &Vec::new(), &Vec::new()).unwrap();
    let limit = |per_minute, burst| RateLimit { per_minute, burst };
    let expected = RateLimits { orders: limit(1, 2), status: limit(3, 4), login: limit(0, 6) };
    assert_eq!(settings.rate_limits, expected);
    assert_eq!(settings.server.trusted_proxies, "10.0.0.0/8 192.0.2.7".parse().unwrap());
}
