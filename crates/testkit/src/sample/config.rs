use serde_json::{Value, json};
use tenantry_domain::config::{ConfigId, ConfigVersion, demo};
use tenantry_domain::json;
use tenantry_ports::{Digest, StoredConfig};

use super::{ODD_TEXT, now};
use crate::FakeDigest;

/// A valid account config with this id: the demonstration config's two stages.
pub fn config_document(id: &str) -> Value {
    let mut document = demo::config();
    document["id"] = id.into();
    document["description"] = ODD_TEXT.into();
    document
}

/// Version `version` of the config with this id, valid, and different in every version.
///
/// # Panics
/// If `id` is none or the version is 0.
pub fn stored_config(id: &str, version: u32) -> StoredConfig {
    let mut resolved = config_document(id);
    resolved["baseCapital"] = json!(25_000 + version);
    let digest: &dyn Digest = &FakeDigest;
    StoredConfig {
        id: ConfigId::new(id).expect("a valid config id"),
        version: ConfigVersion::new(version).expect("a version from 1"),
        document: json!({ "id": id, "parentConfigId": demo::DEMO_CONFIG_ID }),
        hash: digest.hex(json::canonical(&resolved).as_bytes()),
        resolved,
        created_by: "key_0195c0de00007000800000000000000a".to_owned(),
        created_at: now(),
    }
}
