use tenantry_outbound_lettre::SmtpTls;

use super::*;

/// 24 bytes each.
const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

fn settings(text: &str, pairs: &[(&str, &str)]) -> Settings {
    let file = file(text);
    let settings = load(Some(file.path()), &environment(pairs), &Vec::new()).unwrap();
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("whsec_"), "{shown}");
    settings
}

#[test]
fn mails_are_sent_where_there_is_a_server_and_a_sender() {
    let least = "[notifications.mail]\nhost = \"smtp.example.com\"\nfrom = \"noreply@example.com\"\n";
    let mail = settings(least, &[]).notifications.mail.unwrap();
    assert_eq!(
        (mail.smtp.host.as_str(), mail.smtp.port, mail.smtp.tls),
        ("smtp.example.com", 587, SmtpTls::StartTls)
    );
    assert!(mail.smtp.credentials.is_none() && mail.smtp.reply_to.is_none() && mail.link.is_none());
    assert_eq!((mail.timeout, mail.longest_wait), (Duration::from_secs(30), Duration::from_secs(86_400)));

    let password = file("hunter2\n");
    let full = r#"
        [notifications.mail]
        host = "127.0.0.1"
        port = 2525
        tls = "none"
        username = "ann"
        from = "Example & Co <noreply@example.com>"
        reply_to = "help@example.com"
        link = "https://console.example.com/{slug}"
        timeout = "5s"
        longest_wait = "100ms"
    "#;
    let file = [("TENANTRY_SMTP_PASSWORD_FILE", password.path().to_str().unwrap())];
    let mail = settings(full, &file).notifications.mail.unwrap();
    assert_eq!((mail.smtp.port, mail.smtp.tls), (2525, SmtpTls::None));
    let credentials = mail.smtp.credentials.unwrap();
    assert_eq!((credentials.username.as_str(), credentials.password.expose()), ("ann", "hunter2"));
    assert_eq!(mail.smtp.from, "Example & Co <noreply@example.com>");
    assert_eq!(mail.smtp.reply_to.as_deref(), Some("help@example.com"));
    assert_eq!(mail.link.as_deref(), Some("https://console.example.com/{slug}"));
    assert_eq!((mail.timeout, mail.longest_wait), (Duration::from_secs(5), Duration::from_millis(100)));
    for (tls, port) in [("tls", 465), ("none", 25)] {
        let mail = settings(&format!("{least}tls = \"{tls}\"\n"), &[]).notifications.mail.unwrap();
        assert_eq!(mail.smtp.port, port, "{tls}");
    }
}

#[test]
fn a_webhook_is_called_where_there_is_an_address_and_a_secret_or_two() {
    let text = "[notifications.webhook]\nurl = \"https://operator.example/hooks?key=1\"\n";
    let webhook = |secrets: &str| {
        let webhook = settings(text, &[("TENANTRY_WEBHOOK_SECRETS", secrets)]).notifications.webhook.unwrap();
        let secrets: Vec<_> = webhook.secrets.iter().map(|secret| secret.expose().to_owned()).collect();
        (webhook, secrets)
    };
    let (one, secrets) = webhook(NEW);
    assert_eq!((one.url.as_str(), secrets), ("https://operator.example/hooks?key=1", vec![NEW.to_owned()]));
    assert_eq!((one.timeout, one.longest_wait), (Duration::from_secs(15), Duration::from_secs(86_400)));
    let (_, secrets) = webhook(&format!("{NEW} {OLD}"));
    assert_eq!(secrets, [NEW, OLD]);
    let lines = file(&format!("{NEW}\n{OLD}\n"));
    let pairs = [("TENANTRY_WEBHOOK_SECRETS_FILE", lines.path().to_str().unwrap())];
    assert_eq!(settings(text, &pairs).notifications.webhook.unwrap().secrets.len(), 2);
}

#[test]
fn a_channel_that_lacks_something_is_told_all_it_lacks() {
    let refusal = refused(
        "[notifications.mail]\nhost = \"smtp.example.com\"\nusername = \"ann\"\n\
         [notifications.webhook]\nurl = \"https://operator.example/hooks\"\n",
        &[],
    );
    for expected in [
        "error: notifications.mail.from: where there is notifications.mail.host this is needed",
        "error: notifications.mail.password: where there is notifications.mail.username this is needed; set TENANTRY_SMTP_PASSWORD",
        "error: notifications.webhook.secrets: where there is notifications.webhook.url this is needed; set TENANTRY_WEBHOOK_SECRETS",
    ] {
        assert!(refusal.contains(expected), "{expected}\n{refusal}");
    }
    assert_eq!(refusal.matches("error:").count(), 3, "{refusal}");
    let nobodys =
        "[notifications.mail]\nhost = \"smtp.example.com\"\nfrom = \"a@b.example\"\npassword = \"hunter2\"\n";
    let refusal = refused(nobodys, &[]);
    assert!(
        refusal.contains("notifications.mail.username: where there is notifications.mail.password"),
        "{refusal}"
    );
}

#[test]
fn what_is_wrong_is_named_even_where_the_channel_is_off_and_no_secret_is_repeated() {
    let text = r#"
        [notifications.mail]
        port = 65536
        tls = "ssl"
        from = "nobody"
        reply_to = "a@b.example\r\nBcc: c@d.example"
        link = "console.example.com"
        timeout = "0s"
        longest_wait = "2d"
        [notifications.webhook]
        url = "https://ann:hunter2@operator.example/hooks"
        secrets = "hunter2"
        timeout = "31s"
        longest_wait = "1ms"
    "#;
    let refusal = refused(text, &[]);
    for expected in [
        "error: notifications.mail.port (FILE): 65536 is not within 0 and 65535",
        "error: notifications.mail.tls (FILE): 'ssl' is none of starttls, tls and none",
        "error: notifications.mail.from (FILE): \"nobody\" is no sender",
        "error: notifications.mail.reply_to (FILE): ",
        "error: notifications.mail.link (FILE): 'console.example.com' is no link, such as https://console.example.com/{slug}",
        "error: notifications.mail.timeout (FILE): '0s' is not within 1s and 1m",
        "error: notifications.mail.longest_wait (FILE): '2d' is not within 100ms and 1d",
        "error: notifications.webhook.url (FILE): it must not contain a user or password",
        "error: notifications.webhook.secrets (FILE): a webhook secret is whsec_ and 24 to 64 random bytes in base64",
        "error: notifications.webhook.timeout (FILE): '31s' is not within 1s and 30s",
        "error: notifications.webhook.longest_wait (FILE): '1ms' is not within 100ms and 1d",
    ] {
        assert!(refusal.contains(expected), "{expected}\n{refusal}");
    }
    assert_eq!(refusal.matches("error:").count(), 11, "{refusal}");
    assert!(!refusal.contains("hunter2"), "{refusal}");
    let three = format!("[notifications.webhook]\nsecrets = \"{NEW} {OLD} {NEW}\"\n");
    assert!(refused(&three, &[]).contains("there may be one secret, or two"));
}

#[test]
fn a_password_is_not_sent_for_everybody_to_read() {
    let text = "[notifications.mail]\nhost = \"smtp.example.com\"\nfrom = \"a@b.example\"\ntls = \"none\"\nusername = \"ann\"\n";
    let refusal = refused(text, &[("TENANTRY_SMTP_PASSWORD", "hunter2")]);
    let expected = "error: notifications.mail.tls: a password is sent only over TLS or to a loopback address";
    assert!(refusal.contains(expected), "{refusal}");
    assert_eq!(refusal.matches("error:").count(), 1, "{refusal}");
}
