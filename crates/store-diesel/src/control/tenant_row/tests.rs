use tenantry_testkit::sample;
use uuid::Uuid;

use super::*;

fn rows() -> Vec<TenantRow> {
    let home = Home { login: Some(Uuid::from_u128(7)), ..Home::default() };
    let of = |lifecycle| {
        TenantRow::new(&Tenant { lifecycle, home: home.clone(), ..sample::tenant("acme") }).unwrap()
    };
    sample::lifecycles().into_iter().map(of).collect()
}

/// The row with one of its facts there or not there, unlike before.
fn changed(row: &TenantRow) -> Vec<TenantRow> {
    fn other<T>(fact: &Option<T>, some: T) -> Option<T> {
        if fact.is_some() { None } else { Some(some) }
    }
    let row = || row.clone();
    vec![
        TenantRow { token: other(&row().token, "7b7e4b1e-8a53-4f3b-9f3e-0d7d6a5f6c11".to_owned()), ..row() },
        TenantRow { expires_at: other(&row().expires_at, 1), ..row() },
        TenantRow { since: other(&row().since, 1), ..row() },
        TenantRow { error_code: other(&row().error_code, "code".to_owned()), ..row() },
        TenantRow { error_message: other(&row().error_message, "message".to_owned()), ..row() },
        TenantRow { needs_attention: other(&row().needs_attention, true), ..row() },
        TenantRow { drop_at: other(&row().drop_at, 1), ..row() },
        TenantRow { begun: other(&row().begun, false), ..row() },
        TenantRow { former: other(&row().former, "Active".to_owned()), ..row() },
        TenantRow { former: Some("Queued".to_owned()), ..row() },
        TenantRow { former: Some("Unheard-of".to_owned()), ..row() },
        TenantRow { slug_held: !row().slug_held, ..row() },
        TenantRow { status: "Unheard-of".to_owned(), ..row() },
        TenantRow { since: Some(i64::MAX), expires_at: row().expires_at.map(|_| i64::MAX), ..row() },
        TenantRow { drop_at: Some(i64::MAX), ..row() },
        TenantRow { slug: "Not A Slug".to_owned(), ..row() },
        TenantRow { id: "ten_".to_owned(), ..row() },
        TenantRow { config: Some("{".to_owned()), ..row() },
        TenantRow { cluster: "Not A Cluster".to_owned(), ..row() },
        TenantRow { login: Some("nobody".to_owned()), ..row() },
    ]
}

#[test]
fn a_lifecycle_is_read_back_from_exactly_its_own_facts() {
    for row in rows() {
        assert_eq!(TenantRow::new(&row.clone().tenant().unwrap()).unwrap(), row);
        for (i, wrong) in changed(&row).into_iter().enumerate() {
            assert_ne!(wrong, row);
            let read = wrong.tenant();
            assert!(
                matches!(read, Err(StoreError::Corrupt { what: "tenant", .. })),
                "{} {i}: {read:?}",
                row.status
            );
        }
    }
}

#[test]
fn the_facts_of_one_status_are_not_those_of_another() {
    for row in rows() {
        for other in rows() {
            let mixed = TenantRow { status: other.status.clone(), slug_held: other.slug_held, ..row.clone() };
            // Whether the slug is kept follows from the status, but for two of them, where a failure decides it.
            let expected = if row.status == other.status {
                row.slug_held == other.slug_held
            } else {
                facts(&row) == facts(&other)
            };
            assert_eq!(mixed.tenant().is_ok(), expected, "{} as {}", row.status, other.status);
        }
    }
}

#[test]
fn what_a_tenant_was_goes_with_a_failure_or_not() {
    let leaving: Vec<_> = rows().into_iter().filter(|row| row.former.is_some()).collect();
    for row in &leaving {
        for other in &leaving {
            let mixed = TenantRow { former: other.former.clone(), ..row.clone() };
            let alike = row.error_code.is_some() == other.error_code.is_some();
            assert_eq!(mixed.tenant().is_ok(), alike, "{:?} as {:?}", row.former, other.former);
        }
    }
}

/// Which facts there are.
fn facts(row: &TenantRow) -> [bool; 9] {
    [
        row.token.is_some(),
        row.expires_at.is_some(),
        row.since.is_some(),
        row.error_code.is_some(),
        row.error_message.is_some(),
        row.needs_attention.is_some(),
        row.drop_at.is_some(),
        row.begun.is_some(),
        row.former.is_some(),
    ]
}
