//! What a PostgreSQL server keeps of a password (RFC 5802), so that it is never told the password itself, which it might
//! write to its log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tenantry_ports::Secret;
use uuid::Uuid;

/// How often guessing is made dearer. It is for passwords that somebody thought up: those of logins are keys of their
/// own, which nobody guesses, and the thousands of rounds that are usual would be gone through for every connection.
const ITERATIONS: u32 = 1;

/// What the server keeps of the login's password, which has to be ASCII. The login's own id is salt enough: no two have
/// the same.
pub(super) fn verifier(login: Uuid, password: &Secret) -> String {
    with(ITERATIONS, login.as_bytes(), password)
}

fn with(iterations: u32, salt: &[u8], password: &Secret) -> String {
    let password = password.expose().as_bytes();
    let mut round = hmac(password, &[salt, &1_u32.to_be_bytes()].concat());
    let mut salted = round;
    for _ in 1..iterations {
        round = hmac(password, &round);
        salted.iter_mut().zip(round).for_each(|(salted, round)| *salted ^= round);
    }
    let stored: [u8; 32] = Sha256::digest(hmac(&salted, b"Client Key")).into();
    let server = hmac(&salted, b"Server Key");
    let [salt, stored, server] = [salt, &stored, &server].map(|bytes| STANDARD.encode(bytes));
    format!("SCRAM-SHA-256${iterations}:{salt}${stored}:{server}")
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    use super::*;

    #[derive(QueryableByName)]
    struct Stored {
        #[diesel(sql_type = Text)]
        verifier: String,
    }

    /// The server, given the password itself, makes the same of it.
    #[test]
    fn it_is_what_a_server_makes_of_the_password() {
        let Some(server) = tenantry_testkit::postgres::shared() else { return };
        let url = server.fresh_database("scram");
        let mut postgres = PgConnection::establish(&url).unwrap();
        let role = url.rsplit('/').next().unwrap().split('?').next().unwrap();
        let sql = format!(
            "SET password_encryption = 'scram-sha-256'; CREATE ROLE \"{role}\" PASSWORD 'correct horse/battery'"
        );
        if postgres.batch_execute(&sql).is_err() {
            eprintln!("SKIPPED: the tests' own role may not make others");
            return;
        }
        let stored = diesel::sql_query("SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1");
        let stored = stored.bind::<Text, _>(role).get_result::<Stored>(&mut postgres);
        postgres.batch_execute(&format!("DROP ROLE \"{role}\"")).unwrap();
        let Ok(Stored { verifier: stored }) = stored else {
            eprintln!("SKIPPED: the tests' own role may not see passwords");
            return;
        };
        let salt = stored.split(['$', ':']).nth(2).unwrap();
        let salt = STANDARD.decode(salt).unwrap();
        assert_eq!(with(4096, &salt, &Secret::new("correct horse/battery")), stored);
    }

    #[test]
    fn it_does_not_tell_the_password() {
        let password = Secret::new("5f1b7c");
        let verifier = verifier(Uuid::from_u128(7), &password);
        assert!(verifier.starts_with("SCRAM-SHA-256$1:") && !verifier.contains("5f1b7c"), "{verifier}");
        assert!(!verifier.contains('\''), "it can be quoted");
    }
}
