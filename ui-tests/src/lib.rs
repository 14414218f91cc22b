//! Nothing: the programs are in `own`, `rustc` and `pass`, and `tests/ui.rs` compiles them.
