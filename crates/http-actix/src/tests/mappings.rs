//! Whose accounts are.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Reply, World, authorised, get, post};

const BASE: &str = "/api/v1/tenants/acme";

struct Place {
    world: World,
    key: String,
}

impl Place {
    fn new() -> Self {
        let world = World::new();
        let (_, key) = world.tenant_and_key("acme");
        Self { world, key }
    }

    /// The id of a new account of this user.
    async fn account(&self, user: &str) -> String {
        let body = json!({ "userId": user, "configId": "demo-25k-eval-v1" });
        let made = self.world.post(&format!("{BASE}/accounts"), &self.key, &body).await;
        self.world.test.clock.advance(TimeDelta::seconds(1));
        made.json()["accountId"].as_str().unwrap().to_owned()
    }

    async fn map(&self, user: &str, account: &str) -> Reply {
        self.world.send(post(&format!("{BASE}/users/{user}/accounts/{account}/map"), &self.key)).await
    }

    async fn unmap(&self, user: &str, account: &str) -> Reply {
        let request = TestRequest::delete().uri(&format!("{BASE}/users/{user}/accounts/{account}/map"));
        self.world.send(authorised(request, &self.key)).await
    }

    async fn items(&self, path: &str) -> Vec<Value> {
        let reply = self.world.send(get(&format!("{BASE}{path}"), &self.key)).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
        reply.json()["items"].as_array().unwrap().clone()
    }

    async fn accounts_of(&self, user: &str) -> Vec<String> {
        let items = self.items(&format!("/users/{user}/accounts")).await;
        items.iter().map(|item| item["accountId"].as_str().unwrap().to_owned()).collect()
    }

    /// The users, and whether the account is theirs still.
    async fn users_of(&self, account: &str, query: &str) -> Vec<(String, bool)> {
        let items = self.items(&format!("/accounts/{account}/users{query}")).await;
        let told = items.iter().map(|item| {
            assert_eq!(item["accountId"], account);
            (item["userId"].as_str().unwrap().to_owned(), item["unmappedAt"].is_null())
        });
        told.collect()
    }

    async fn events(&self, account: &str) -> Vec<Value> {
        self.items(&format!("/accounts/{account}/audit-logs")).await
    }
}

fn pairs(told: &[(&str, bool)]) -> Vec<(String, bool)> {
    told.iter().map(|(user, theirs)| ((*user).to_owned(), *theirs)).collect()
}

#[actix_web::test]
async fn an_account_is_its_users_from_the_beginning() {
    let place = Place::new();
    let (first, second) = (place.account("ann").await, place.account("ann").await);
    assert_eq!(place.accounts_of("ann").await, [second.clone(), first.clone()]);
    let items = place.items("/users/ann/accounts?limit=1").await;
    let alone = place.world.get(&format!("{BASE}/accounts/{second}"), &place.key).await.json();
    for (member, value) in alone.as_object().unwrap() {
        assert_eq!(&items[0][member], value, "{member}");
    }
    assert_eq!(
        (&items[0]["provisioned"], &items[0]["mappedAt"], &items[0]["mappedBy"]),
        (&json!(true), &alone["createdAt"], &Value::Null)
    );
    assert_eq!(place.users_of(&first, "").await, pairs(&[("ann", true)]));
    assert!(place.accounts_of("bob").await.is_empty());
}

#[actix_web::test]
async fn an_account_is_mapped_to_others_besides_and_once() {
    let place = Place::new();
    let account = place.account("ann").await;
    let mapped = place.map("bob", &account).await;
    assert_eq!(mapped.status, StatusCode::CREATED);
    let body = mapped.json();
    assert_eq!(
        (&body["accountId"], &body["userId"], &body["provisioned"], &body["unmappedAt"]),
        (&json!(account), &json!("bob"), &json!(false), &Value::Null)
    );
    assert!(body["mappedBy"].as_str().unwrap().starts_with("key_"));
    let again = place.map("bob", &account).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, body.clone()));
    let own = place.map("ann", &account).await;
    assert_eq!((own.status, own.json()["provisioned"].clone()), (StatusCode::OK, json!(true)));
    assert_eq!(place.accounts_of("bob").await, std::slice::from_ref(&account));
    assert_eq!(place.accounts_of("ann").await, std::slice::from_ref(&account));
    assert_eq!(place.users_of(&account, "").await, pairs(&[("ann", true), ("bob", true)]));
    let events = place.events(&account).await;
    assert_eq!(events.len(), 2, "what changed nothing is no event: {events:?}");
    assert_eq!(events[0]["eventType"], "account.mapped");
    assert_eq!((&events[0]["data"]["userId"], &events[0]["data"]["by"]), (&json!("bob"), &body["mappedBy"]));
}

#[actix_web::test]
async fn an_account_changes_hands_and_what_was_is_kept() {
    let place = Place::new();
    let account = place.account("ann").await;
    place.map("bob", &account).await;
    for user in ["ann", "bob"] {
        assert_eq!(place.unmap(user, &account).await.status, StatusCode::NO_CONTENT);
        place.unmap(user, &account).await.problem("mapping_not_found");
        assert!(place.accounts_of(user).await.is_empty());
        place.world.test.clock.advance(TimeDelta::seconds(1));
    }
    assert!(place.users_of(&account, "").await.is_empty());
    let back = place.map("ann", &account).await;
    assert_eq!((back.status, back.json()["provisioned"].clone()), (StatusCode::CREATED, json!(false)));
    assert_eq!(place.accounts_of("ann").await, std::slice::from_ref(&account));
    assert_eq!(place.users_of(&account, "").await, pairs(&[("ann", true)]));
    let history = pairs(&[("ann", false), ("bob", false), ("ann", true)]);
    assert_eq!(place.users_of(&account, "?history=true").await, history);
    let items = place.items(&format!("/accounts/{account}/users?history=true")).await;
    assert!(items[0]["unmappedBy"].as_str().unwrap().starts_with("key_"), "{items:?}");
    assert!(items[0]["unmappedAt"].as_str() > items[0]["mappedAt"].as_str(), "{items:?}");
    let events: Vec<_> =
        place.events(&account).await.iter().map(|event| event["eventType"].clone()).collect();
    let expected =
        ["account.mapped", "account.unmapped", "account.unmapped", "account.mapped", "account.provisioned"];
    assert_eq!(events, expected.map(Value::from));
}

#[actix_web::test]
async fn pages_of_both_lists_are_complete() {
    let place = Place::new();
    let account = place.account("owner").await;
    for n in 0..4 {
        place.map(&format!("u{n}"), &account).await;
        let other = place.account(if n % 2 == 0 { "u0" } else { "owner" }).await;
        place.map("u0", &other).await;
    }
    place.unmap("u2", &account).await;
    for (path, count) in [
        (format!("{BASE}/accounts/{account}/users"), 4),
        (format!("{BASE}/accounts/{account}/users?history=true"), 5),
        (format!("{BASE}/users/u0/accounts"), 5),
        (format!("{BASE}/users/owner/accounts"), 3),
    ] {
        let whole = place.world.get(&path, &place.key).await.json();
        let whole = whole["items"].as_array().unwrap().clone();
        assert_eq!(whole.len(), count, "{path}");
        let join = if path.contains('?') { '&' } else { '?' };
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = place.world.get(&format!("{path}{join}limit=1{cursor}"), &place.key).await.json();
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, whole, "{path}");
        let foreign = format!("{BASE}/users/somebody/accounts?limit=1{cursor}");
        place.world.get(&foreign, &place.key).await.problem("invalid_cursor");
    }
}

#[actix_web::test]
async fn a_websites_user_may_be_called_anything_printable() {
    let place = Place::new();
    let account = place.account("ann").await;
    for (encoded, user) in [
        ("auth0%7C5f7c", "auth0|5f7c"),
        ("a%2Fb%2520c+d%2Be", "a/b%20c+d+e"),
        ("%E3%83%A6%E3%83%BC%E3%82%B6%E3%83%BC", "ユーザー"),
    ] {
        let mapped = place.map(encoded, &account).await;
        assert_eq!((mapped.status, mapped.json()["userId"].clone()), (StatusCode::CREATED, json!(user)));
        assert_eq!(place.accounts_of(encoded).await, std::slice::from_ref(&account), "{user}");
        assert_eq!(place.unmap(encoded, &account).await.status, StatusCode::NO_CONTENT);
    }
    for wrong in ["%20", "a%0Ab", &"x".repeat(256)] {
        let refused = place.map(wrong, &account).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.findings("invalid_parameter")[0].0, "/userId");
    }
}

#[actix_web::test]
async fn a_repeated_mapping_with_a_key_is_answered_as_the_first() {
    let place = Place::new();
    let account = place.account("ann").await;
    let send = async |user: &str| {
        let path = format!("{BASE}/users/{user}/accounts/{account}/map");
        place.world.send(post(&path, &place.key).insert_header(("Idempotency-Key", "k"))).await
    };
    let first = send("bob").await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::CREATED, None));
    place.unmap("bob", &account).await;
    let again = send("bob").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, Some("true")));
    assert_eq!(again.bytes, first.bytes);
    assert!(place.accounts_of("bob").await.is_empty(), "it was answered, and not done again");
    send("eve").await.problem("idempotency_key_reused");
}

#[actix_web::test]
async fn unknown_accounts_are_nobodys() {
    let place = Place::new();
    for unknown in ["acc_0195c0de00007000800000000000000a", "x"] {
        place.map("ann", unknown).await.problem("account_not_found");
        place.unmap("ann", unknown).await.problem("account_not_found");
        let users = place.world.get(&format!("{BASE}/accounts/{unknown}/users"), &place.key).await;
        users.problem("account_not_found");
    }
}
