//! What is written down, and what is said.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::tenant::{Lifecycle, Status, StepKind, Tenant, TenantName};
use tenantry_ports::{Channel, StoreError};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::notices::{Happening, announce};
use tenantry_usecases::recorded;

use crate::{active, deliver, deliver_all, event, failed, records, tell, tenant};

#[test]
fn nothing_is_written_where_nobody_is_told() {
    let world = TestPlatform::new();
    let tenant = active(&world, "acme");
    tell(&world, &tenant, Happening::Activated);
    assert_eq!(records(&world), []);
}

#[tokio::test]
async fn every_happening_is_an_event_in_the_envelope_of_all_events() {
    let world = TestPlatform::telling();
    let mut run = sample::run(&sample::tenant("unused"));
    run.begin(StepKind::CreateDatabase, sample::at(1));
    run.succeed(StepKind::CreateDatabase, "done", sample::at(2));
    let completed = Happening::StepCompleted { run: &run, step: StepKind::CreateDatabase };
    for (number, (what, name)) in [
        (Happening::Queued, "tenant.provisioning.queued"),
        (Happening::Started, "tenant.provisioning.started"),
        (completed, "tenant.provisioning.step_completed"),
        (Happening::Failed, "tenant.provisioning.failed"),
        (Happening::Activated, "tenant.activated"),
        (Happening::Suspended, "tenant.suspended"),
        (Happening::Resumed, "tenant.resumed"),
        (Happening::Deleted, "tenant.deleted"),
    ]
    .into_iter()
    .enumerate()
    {
        let lifecycle =
            if name.ends_with("failed") { failed() } else { Lifecycle::Active { since: sample::now() } };
        let tenant = tenant(&world, &format!("acme-{number}"), lifecycle);
        tell(&world, &tenant, what);
        let happened = world.clock.advance(TimeDelta::minutes(1)) - TimeDelta::minutes(1);
        assert_eq!(deliver(&world, Channel::Webhook).await, 1, "{name}");
        let call = world.webhooks.calls().pop().unwrap();
        let event = event(&call);
        assert_eq!((event.event_type.as_str(), event.tenant_id), (name, Some(tenant.id)));
        assert_eq!((call.id, call.url.as_str()), (event.id.to_string(), "https://operator.example/hooks"));
        assert_eq!(
            event.timestamp.timestamp_millis(),
            happened.timestamp_millis(),
            "when it happened, not when it is told"
        );
        assert_eq!((event.meta.trace_id, event.account_id), (tenant.id.to_string(), None));
        let mut expected = json!({
            "slug": tenant.slug, "name": tenant.name, "plan": "Basic",
            "status": tenant.lifecycle.status(), "version": 1,
        });
        if name.ends_with("step_completed") {
            let details = json!({ "run": 1, "step": "CreateDatabase", "attempt": 1,
                "startedAt": "2026-03-01T12:00:01.123Z", "completedAt": "2026-03-01T12:00:02.123Z" });
            expected.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
        }
        if name.ends_with("failed") {
            expected["error"] = json!({ "code": "database_unavailable", "message": sample::ODD_TEXT });
            expected["needsAttention"] = json!(false);
        }
        assert_eq!(event.data, expected, "{name}");
    }
}

#[tokio::test]
async fn the_contact_gets_a_mail_when_the_tenant_is_ready_and_when_it_failed() {
    let world = TestPlatform::telling();
    let ready = active(&world, "ready");
    let broken = tenant(&world, "broken", failed());
    for what in
        [Happening::Queued, Happening::Started, Happening::Suspended, Happening::Resumed, Happening::Deleted]
    {
        tell(&world, &ready, what);
    }
    tell(&world, &ready, Happening::Activated);
    tell(&world, &broken, Happening::Failed);
    let nobody = Tenant { contact_email: None, ..active(&world, "nobody") };
    tell(&world, &nobody, Happening::Activated);
    deliver_all(&world).await;

    let mails = world.mailer.mails();
    assert_eq!(
        mails.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(),
        ["ready Ltd. is ready", "broken Ltd. could not be set up"]
    );
    let contacts = [&ready, &broken].map(|tenant| tenant.contact_email.clone().unwrap());
    assert_eq!(mails.iter().map(|mail| mail.to.clone()).collect::<Vec<_>>(), contacts);
    let calls = world.webhooks.calls();
    for (mail, name) in mails.iter().zip(["tenant.activated", "tenant.provisioning.failed"]) {
        let call = calls.iter().find(|call| call.id == mail.id.to_string()).unwrap();
        assert_eq!(
            (event(call).event_type.as_str(), event(call).timestamp.timestamp_millis()),
            (name, mail.at.timestamp_millis())
        );
    }
    for part in ["ready Ltd. (ready)", "https://console.example/ready", "contact for ready Ltd."] {
        assert!(mails[0].text.contains(part) && mails[0].html.contains(part), "{part}: {}", mails[0].text);
    }
    assert!(mails[1].text.contains(sample::ODD_TEXT), "{}", mails[1].text);
    assert!(mails[1].text.contains(&broken.id.uuid().to_string()));
    assert_eq!(world.webhooks.calls().len(), 8);
}

#[tokio::test]
async fn names_are_text_in_a_mail_and_never_markup() {
    let world = TestPlatform::telling();
    let name = TenantName::new("<script>alert('1')</script> & \"Co\"").unwrap();
    let tenant = Tenant { name: name.clone(), ..active(&world, "acme") };
    tell(&world, &tenant, Happening::Activated);
    deliver_all(&world).await;
    let mail = &world.mailer.mails()[0];
    assert!(mail.text.contains(name.as_str()) && mail.subject.contains(name.as_str()));
    let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;Co&quot;";
    assert!(mail.html.contains(escaped) && !mail.html.contains("<script"), "{}", mail.html);
}

/// Whoever moves a tenant on need not know what that means to others.
#[test]
fn what_happened_is_known_from_the_states_before_and_after() {
    let mut told = Vec::new();
    for before in Status::ALL {
        for after in Status::ALL {
            let happening = Happening::between(before, after);
            told.extend(happening.map(|what| format!("{before} to {after}: {what:?}")));
        }
    }
    assert_eq!(
        told,
        [
            "PENDING_VALIDATION to QUEUED: Queued",
            "PENDING_VALIDATION to Expired: Expired",
            "QUEUED to Provisioning: Started",
            "Provisioning to Active: Activated",
            "Provisioning to Failed: Failed",
            "Active to Suspended: Suspended",
            "Active to Deprovisioning: DeletionQueued",
            "Suspended to Active: Resumed",
            "Suspended to Deprovisioning: DeletionQueued",
            "Failed to QUEUED: Queued",
            "Failed to Deprovisioning: DeletionQueued",
            "Deprovisioning to Active: Resumed",
            "Deprovisioning to Suspended: DeletionCancelled",
            "Deprovisioning to Failed: DeletionCancelled",
            "Deprovisioning to Deleted: Deleted",
        ]
    );
}

#[tokio::test]
async fn what_happens_at_once_is_told_in_order() {
    let world = TestPlatform::telling();
    let (platform, tenant) = (&world.platform, active(&world, "acme"));
    let happenings = [Happening::Queued, Happening::Started, Happening::Activated];
    recorded(platform, None, |tx, record| {
        announce(platform, tx, record, &tenant, &happenings, sample::now())
    })
    .unwrap();
    deliver_all(&world).await;
    let told: Vec<_> = world.webhooks.calls().iter().map(|call| event(call).event_type.to_string()).collect();
    assert_eq!(told, ["tenant.provisioning.queued", "tenant.provisioning.started", "tenant.activated"]);
    assert_eq!(world.mailer.mails().len(), 1);
}

#[test]
fn what_did_not_happen_is_not_told() {
    let world = TestPlatform::telling();
    let (platform, tenant) = (&world.platform, active(&world, "acme"));
    let outcome: Result<(), StoreError> = recorded(platform, None, |tx, record| {
        announce(platform, tx, record, &tenant, &[Happening::Activated], sample::now())?;
        Err(StoreError::Stale)
    });
    assert!(outcome.is_err());
    assert_eq!(records(&world), []);
}
