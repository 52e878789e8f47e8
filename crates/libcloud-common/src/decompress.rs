//! Compressed answers: what was asked for with `Accept-Encoding`, of answers that are read into memory.
//!
//! A streamed answer is left as it is: an object that was stored compressed is handed out as it was stored.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

use crate::{Error, ErrorKind, Result};

/// What is asked for.
pub(crate) const ACCEPTED: &str = "gzip,deflate";

/// The content of an answer, decompressed to at most `cap` bytes. The headers then describe it as it is.
pub(crate) fn decompress(headers: &mut HeaderMap, body: Bytes, cap: usize) -> Result<Bytes> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    // The answer to a HEAD tells the encoding of a body that it does not have.
    if body.is_empty() {
        return Ok(body);
    }
    let content = match encoding.as_str() {
        "gzip" | "x-gzip" => inflate(MultiGzDecoder::new(&*body), cap),
        // Meant is zlib (RFC 9110, 8.4.1.2); some servers send it raw.
        "deflate" => match inflate(ZlibDecoder::new(&*body), cap) {
            Err(Inflate::Broken(_)) => inflate(DeflateDecoder::new(&*body), cap),
            content => content,
        },
        _ => return Ok(body),
    };
    let content = content.map_err(|problem| match problem {
        Inflate::TooLarge => {
            Error::new(ErrorKind::MalformedResponse, format!("the answer is larger than {cap} bytes"))
        }
        Inflate::Broken(error) => Error::new(
            ErrorKind::MalformedResponse,
            format!("the {encoding} of the answer is broken: {error}"),
        ),
    })?;
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    Ok(content.into())
}

enum Inflate {
    TooLarge,
    Broken(io::Error),
}

fn inflate(decoder: impl Read, cap: usize) -> Result<Vec<u8>, Inflate> {
    let mut content = Vec::new();
    // One more than allowed tells that there is more.
    decoder.take(cap as u64 + 1).read_to_end(&mut content).map_err(Inflate::Broken)?;
    if content.len() > cap { Err(Inflate::TooLarge) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    const TEXT: &[u8] = b"libcloud libcloud libcloud libcloud";

    fn headers(encoding: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("7"));
        headers
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_zlib_and_raw_deflate() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();
        // Two members in a row are one content.
        let twice = [gzip(TEXT), gzip(TEXT)].concat();
        for (encoding, body, expected) in [
            ("gzip", gzip(TEXT), TEXT.to_vec()),
            ("X-GZip", twice, TEXT.repeat(2)),
            ("deflate", zlib.finish().unwrap(), TEXT.to_vec()),
            ("deflate", raw.finish().unwrap(), TEXT.to_vec()),
            ("identity", TEXT.to_vec(), TEXT.to_vec()),
            ("gzip", Vec::new(), Vec::new()),
        ] {
            let mut headers = headers(encoding);
            assert_eq!(decompress(&mut headers, body.into(), 1000).unwrap(), expected, "{encoding}");
            let untouched = encoding == "identity" || expected.is_empty();
            assert_eq!(headers.contains_key(header::CONTENT_LENGTH), untouched);
        }
    }

    #[test]
    fn a_bomb_and_a_broken_body_are_errors() {
        let bomb = gzip(&vec![0; 1_000_000]);
        assert!(bomb.len() < 2000);
        let error = decompress(&mut headers("gzip"), bomb.into(), 1000).unwrap_err();
        assert_eq!(error.to_string(), "the answer is larger than 1000 bytes");
        let mut cut = gzip(TEXT);
        cut.truncate(cut.len() - 4);
        for (encoding, body) in [("gzip", cut), ("gzip", TEXT.to_vec()), ("deflate", TEXT.to_vec())] {
            let error = decompress(&mut headers(encoding), body.into(), 1000).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedResponse);
            assert!(
                error.to_string().starts_with(&format!("the {encoding} of the answer is broken: ")),
                "{error}"
            );
        }
    }
}
