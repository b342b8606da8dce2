//! Signing in, staying signed in, and signing out.

mod login;
mod password;
mod refresh;
mod sessions;
mod throttle;
mod tokens;

pub use login::{Login, LoginError, SignedIn, login, login_nowhere};
pub use password::{ChangePassword, ChangePasswordError, change_password};
pub use refresh::{RefreshError, Refreshed, logout, refresh};
pub use sessions::{Revocation, live_sessions, revoke_all_sessions, revoke_session};
pub use throttle::{TooEarly, forget_old_attempts};

pub(crate) use login::{KEPT as SESSIONS_KEPT, keep_in_mind};
