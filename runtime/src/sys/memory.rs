//! `memchr(3)`, which looks at many bytes at a time; `std` has its own for itself alone.

/// Where `byte` is first found.
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    if bytes.is_empty() {
        return None;
    }
    // SAFETY: the pointer is to live bytes, as many as are said.
    let found = unsafe { libc::memchr(bytes.as_ptr().cast(), byte.into(), bytes.len()) };
    // What is found lies in `bytes`, and is at or after its first byte.
    (!found.is_null()).then(|| found.addr() - bytes.as_ptr().addr())
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_or_none() {
        assert_eq!(find(b'b', b"abcb"), Some(1));
        assert_eq!(find(b'b', &b"abcb"[2..]), Some(1));
        assert_eq!(find(b'x', b"abcb"), None);
        assert_eq!(find(b'x', b""), None);
        assert_eq!(find(b'c', &b"abc"[..2]), None);
        assert_eq!(find(0xff, b"a\xff"), Some(1));
    }
}
