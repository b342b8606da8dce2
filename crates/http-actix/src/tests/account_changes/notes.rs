use super::*;

#[actix_web::test]
async fn notes_are_replaced_as_a_whole() {
    let place = Place::new().await;
    let changed = place.put(json!({ "meta": { "a": [1, { "b": null }] } })).await;
    assert_eq!(
        (changed.header("etag"), &changed.json()["meta"]),
        (Some("\"2\""), &json!({ "a": [1, { "b": null }] }))
    );
    for same in [json!({ "meta": { "a": [1, { "b": null }] } }), json!({})] {
        assert_eq!(place.put(same).await.header("etag"), Some("\"2\""));
    }
    let none = place.put(json!({ "meta": null })).await;
    assert_eq!((none.header("etag"), &none.json()["meta"]), (Some("\"3\""), &Value::Null));
    let events = place.events().await;
    assert_eq!(events.len(), 3);
    let data = &events[1]["data"];
    assert_eq!(
        (&data["before"], &data["changed"]),
        (&json!({ "meta": { "plan": "gold" } }), &json!(["meta"]))
    );
    assert_eq!(events[2]["data"]["after"], json!({ "meta": null }));
}

#[actix_web::test]
async fn notes_have_a_largest_size() {
    let place = Place::new().await;
    let notes = |size: usize| json!({ "a": "x".repeat(size - r#"{"a":""}"#.len()) });
    let (most, more) = (notes(16 * 1024), notes(16 * 1024 + 1));
    let account = |meta: &Value| json!({ "userId": "ann", "configId": "25k-own-v1", "meta": meta });
    let accounts = format!("{BASE}/accounts");
    let provision = async |meta| place.world.post(&accounts, &place.key, &account(meta)).await;
    assert_eq!(provision(&most).await.status, StatusCode::CREATED);
    let too_large = pairs(&[("/meta", "too_large")]);
    assert_eq!(provision(&more).await.findings("validation_failed"), too_large);
    let changed = place.put(json!({ "meta": most })).await;
    assert_eq!((changed.status, &changed.json()["meta"]), (StatusCode::OK, &most));
    assert_eq!(place.put(json!({ "meta": more })).await.findings("validation_failed"), too_large);
    let items = json!({ "items": [account(&more), account(&most)] });
    let answer = place.world.post(&format!("{accounts}/bulk"), &place.key, &items).await.json();
    assert_eq!(answer["items"][0]["problem"]["errors"][0]["pointer"], "/items/0/meta", "{answer}");
    assert_eq!(answer["items"][1]["status"], 201);
}
