//! "Did you mean": which known word was meant by an unknown one.

/// The known word that is closest in spelling, if one is close: at most a third of its letters away.
///
/// Case and underscores do not count: `TCP` and `unixStream` are found too.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be inserted, left out, replaced or swapped with their neighbour to get from one word to the
/// other: the optimal string alignment distance, of the words without case and underscores.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (letters(left), letters(right));
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                let swapped = if i > 1 && j > 1 && left[i - 2] == right[j - 1] && left[i - 1] == right[j - 2] {
                    rows[i - 2][j - 2] + 1
                } else {
                    usize::MAX
                };
                replaced.min(swapped).min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
            };
        }
    }
    rows[left.len()][right.len()]
}

fn letters(word: &str) -> Vec<char> {
    word.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("tcp", "tpc"), 1);
        assert_eq!(distance("finnish", "finish"), 1);
        assert_eq!(distance("hadnel", "handle"), 2);
        assert_eq!(distance("UNIX_stream", "unixStream"), 0);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn only_close_words_are_suggested() {
        let known = ["tcp", "udp", "threading", "forking", "max_packet_size"];
        let closest = |word| closest(word, known);
        assert_eq!(closest("tpc"), Some("tcp"));
        assert_eq!(closest("TCP"), Some("tcp"));
        assert_eq!(closest("threaded"), Some("threading"));
        assert_eq!(closest("max_package_size"), Some("max_packet_size"));
        assert_eq!(closest("blocking"), None);
        assert_eq!(closest("http"), None);
    }
}
