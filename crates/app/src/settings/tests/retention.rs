use super::*;

#[test]
fn what_is_kept_for_how_long_is_a_duration_or_off() {
    let retention = |text: &str| {
        let file = file(&format!("[events]\nretention = \"{text}\""));
        load(Some(file.path()), &environment(&[]), &Vec::new()).unwrap().event_retention
    };
    assert_eq!(retention("off"), None);
    assert_eq!(retention("90d"), Some(Duration::from_secs(90 * 24 * 60 * 60)));
    let refusal = refused("[events]\nretention = \"6d\"", &[]);
    assert!(refusal.contains("events.retention (FILE): '6d' is not within 7d and 3650d"), "{refusal}");
}

#[test]
fn deliveries_are_remembered_for_longer_than_they_are_tried() {
    let file = file("[webhooks]\ndelivery_retention = \"7d\"");
    let settings = load(Some(file.path()), &environment(&[]), &Vec::new()).unwrap();
    assert_eq!(settings.delivery_retention, Duration::from_secs(7 * 24 * 60 * 60));
    let refusal = refused("[webhooks]\ndelivery_retention = \"5d\"", &[]);
    assert!(
        refusal.contains("webhooks.delivery_retention (FILE): '5d' is not within 7d and 3650d"),
        "{refusal}"
    );
}
