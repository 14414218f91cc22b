//! One text of a command server, compiled for any composition.

/// The server `$name` of these words.
macro_rules! counters {
    ($($name:ident: $($word:ident),+;)*) => {$(
        /// Named counters, kept for all peers.
        #[socket_server($($word),+)]
        #[derive(Default)]
        struct $name {
            counters: Mutex<BTreeMap<String, i64>>,
        }

        #[handler]
        impl $name {
            #[command]
            fn add(&self, name: String, by: Option<i64>) -> i64 {
                let mut counters = self.counters.lock().unwrap();
                let counter = counters.entry(name).or_default();
                *counter += by.unwrap_or(1);
                *counter
            }

            #[command("all", "list")]
            fn all(&self) -> Vec<String> {
                let counters = self.counters.lock().unwrap();
                counters.iter().map(|(name, value)| format!("{name}={value}")).collect()
            }

            #[command]
            fn quit(&self) -> Close<&'static str> {
                Close("bye")
            }

            #[otherwise]
            fn unknown(&self, line: &str) -> String {
                format!("what is {line}?")
            }

            #[on_error]
            fn refused(&self, error: &CommandError) -> String {
                format!("no: {error}")
            }
        }
    )*};
}
