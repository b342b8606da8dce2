//! Many deliveries in one statement, on PostgreSQL.

use super::rows::DeliveryRow;
use crate::bulk::{Bind, Bulk, Sql};

pub(super) struct InsertDeliveries;

impl Sql for InsertDeliveries {
    const TEXT: &'static str = "\
        INSERT INTO webhook_deliveries \
            (id, endpoint_id, sequence, event_id, event_type, status, due_at, attempts, last_attempt, created_at) \
        SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
}

pub(super) fn insert(rows: &[DeliveryRow]) -> Bulk<'_, InsertDeliveries> {
    Bulk::new([
        Bind::Texts(rows.iter().map(|row| row.id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.endpoint_id.as_str()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.sequence).collect()),
        Bind::Texts(rows.iter().map(|row| row.event_id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.event_type.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.status.as_str()).collect()),
        Bind::OptionalNumbers(rows.iter().map(|row| row.due_at).collect()),
        Bind::Numbers(rows.iter().map(|row| row.attempts).collect()),
        Bind::OptionalTexts(rows.iter().map(|row| row.last_attempt.as_deref()).collect()),
        Bind::Numbers(rows.iter().map(|row| row.created_at).collect()),
    ])
}

pub(super) struct UpdateDeliveries;

impl Sql for UpdateDeliveries {
    const TEXT: &'static str = "\
        UPDATE webhook_deliveries AS delivery \
        SET status = now.status, due_at = now.due_at, attempts = now.attempts, last_attempt = now.last_attempt \
        FROM unnest(?, ?, ?, ?, ?) AS now (id, status, due_at, attempts, last_attempt) \
        WHERE delivery.id = now.id";
}

pub(super) fn update(rows: &[DeliveryRow]) -> Bulk<'_, UpdateDeliveries> {
    Bulk::new([
        Bind::Texts(rows.iter().map(|row| row.id.as_str()).collect()),
        Bind::Texts(rows.iter().map(|row| row.status.as_str()).collect()),
        Bind::OptionalNumbers(rows.iter().map(|row| row.due_at).collect()),
        Bind::Numbers(rows.iter().map(|row| row.attempts).collect()),
        Bind::OptionalTexts(rows.iter().map(|row| row.last_attempt.as_deref()).collect()),
    ])
}
