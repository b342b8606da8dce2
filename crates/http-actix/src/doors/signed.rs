//! Signed requests: in which headers a signature comes, and what exactly is signed.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use chrono::{DateTime, Utc};
use tenantry_usecases::signatures::Signature;

use crate::auth::visible;
use crate::problem::{Code, Problem};

/// Unix time in seconds, in decimal.
pub(crate) const TIMESTAMP: HeaderName = HeaderName::from_static("x-signature-timestamp");
/// 16 to 128 printable ASCII characters.
pub(crate) const NONCE: HeaderName = HeaderName::from_static("x-signature-nonce");
/// `v1=` and 64 hexadecimal digits.
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");

/// Which text is signed, and how: what the text and the header begin with.
const VERSION: &str = "v1";

/// The signature that comes with a request.
pub(super) fn signature(headers: &HeaderMap) -> Result<Signature, Problem> {
    let given = (one(headers, &SIGNATURE), one(headers, &TIMESTAMP), one(headers, &NONCE));
    let (Some(signature), Some(timestamp), Some(nonce)) = given else {
        let detail =
            "The headers X-Signature, X-Signature-Timestamp and X-Signature-Nonce are required, each once";
        return Err(Problem::new(Code::MissingSignature, detail));
    };
    let malformed = |detail: &'static str| Problem::new(Code::InvalidSignature, detail);
    let mac = mac(signature).ok_or_else(|| {
        malformed("X-Signature has to be 'v1=' and the 64 hexadecimal digits of an HMAC-SHA256")
    })?;
    let at = moment(timestamp).ok_or_else(|| {
        malformed("X-Signature-Timestamp has to be Unix time in whole seconds, such as 1772366400")
    })?;
    if !(16..=128).contains(&nonce.len()) || !nonce.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(malformed(
            "X-Signature-Nonce has to be 16 to 128 printable ASCII characters without spaces",
        ));
    }
    Ok(Signature { at, nonce: nonce.to_owned(), mac })
}

/// The text that is signed: six lines, with line feeds between them and none at the end.
pub(super) fn message(request: &HttpRequest, signature: &Signature, body_sha256: &str) -> String {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let Signature { at, nonce, .. } = signature;
    format!("{VERSION}\n{}\n{target}\n{}\n{nonce}\n{body_sha256}", request.method(), at.timestamp())
}

/// What a header says that is there exactly once.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name);
    let only = values.next().and_then(visible)?;
    values.next().is_none().then_some(only)
}

/// Written in one way only, since it is signed as text.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let seconds: i64 = text.parse().ok()?;
    if seconds < 0 || seconds.to_string() != text {
        return None;
    }
    DateTime::from_timestamp(seconds, 0)
}

fn mac(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix(VERSION)?.strip_prefix('=')?.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut mac = [0; 32];
    for (byte, pair) in mac.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use actix_web::test::TestRequest;

    use super::*;

    const MAC: &str = "v1=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const AT: &str = "1772366400";
    const ONCE: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

    fn read(headers: &[(&HeaderName, &str)]) -> Result<Signature, Code> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append((*name).clone(), HeaderValue::from_str(value).unwrap());
        }
        signature(&map).map_err(|problem| problem.code())
    }

    #[test]
    fn the_headers_are_read() {
        let signature = read(&[(&SIGNATURE, MAC), (&TIMESTAMP, AT), (&NONCE, ONCE)]).unwrap();
        assert_eq!(signature.mac, std::array::from_fn(|i| i as u8));
        assert_eq!((signature.at.timestamp(), &*signature.nonce), (1_772_366_400, ONCE));
        let upper = MAC.to_uppercase().replace('V', "v");
        let loose = read(&[(&SIGNATURE, &upper), (&TIMESTAMP, " 1772366400 "), (&NONCE, ONCE)]);
        assert_eq!(loose.unwrap(), signature);
    }

    #[test]
    fn each_header_has_to_be_there_once() {
        let all = [(&SIGNATURE, MAC), (&TIMESTAMP, AT), (&NONCE, ONCE)];
        for i in 0..3 {
            let mut without = all.to_vec();
            without.remove(i);
            assert_eq!(read(&without), Err(Code::MissingSignature));
            let mut twice = all.to_vec();
            twice.push(all[i]);
            assert_eq!(read(&twice), Err(Code::MissingSignature));
            let mut empty = all;
            empty[i].1 = " ";
            assert_eq!(read(&empty), Err(Code::MissingSignature));
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let long = "x".repeat(129);
        for (signature, timestamp, nonce) in [
            (&MAC[3..], AT, ONCE),
            (&MAC[..66], AT, ONCE),
            (&*format!("{MAC}0"), AT, ONCE),
            (&MAC.replace("1f", "1g"), AT, ONCE),
            (&MAC.replace("v1", "v2"), AT, ONCE),
            (&MAC.replace("1f", "+f"), AT, ONCE),
            (MAC, "-1772366400", ONCE),
            (MAC, "+1772366400", ONCE),
            (MAC, "01772366400", ONCE),
            (MAC, "1772366400.5", ONCE),
            (MAC, "2026-03-01T12:00:00Z", ONCE),
            (MAC, "99999999999999", ONCE),
            (MAC, "99999999999999999999999", ONCE),
            (MAC, AT, &ONCE[..15]),
            (MAC, AT, &*long),
            (MAC, AT, "a nonce with spaces in it"),
        ] {
            let outcome = read(&[(&SIGNATURE, signature), (&TIMESTAMP, timestamp), (&NONCE, nonce)]);
            assert_eq!(outcome, Err(Code::InvalidSignature), "{signature} {timestamp} {nonce}");
        }
    }

    #[test]
    fn the_text_is_six_lines_about_the_request_as_it_was_sent() {
        let signature = read(&[(&SIGNATURE, MAC), (&TIMESTAMP, AT), (&NONCE, ONCE)]).unwrap();
        let request = TestRequest::post().uri("/a%2Fb/%7e?c=d%20e&f").to_http_request();
        let expected = format!("v1\nPOST\n/a%2Fb/%7e?c=d%20e&f\n{AT}\n{ONCE}\ndigest");
        assert_eq!(message(&request, &signature, "digest"), expected);
        let absolute = TestRequest::post().uri("https://example.com/a?b").to_http_request();
        assert_eq!(message(&absolute, &signature, "").lines().nth(2), Some("/a?b"));
    }
}
