//! The webhook endpoints of tenants.

use std::sync::Arc;
use std::time::Duration;

use tenantry_ports::{EndpointSender, WebhookSecrets, WebhookSigner};

/// How tenants' endpoints are called.
#[derive(Clone)]
pub struct EndpointCalls {
    /// Who says which URLs may be called, and calls them.
    pub sender: Arc<dyn EndpointSender>,
    /// Who signs the calls.
    pub signer: Arc<dyn WebhookSigner>,
    /// Who makes the secrets they are signed with.
    pub secrets: Arc<dyn WebhookSecrets>,
    /// How long a call may take.
    pub timeout: Duration,
}
