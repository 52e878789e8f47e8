//! One core, one thing: hashes and parsers.

use std::hint::black_box;
use std::time::Instant;

use bench_common::{Args, ok};

use crate::{Sum, parse};

const BLOCK: usize = 8 << 20;

/// The fastest of many short batches: what the core can do while nothing else has it.
fn rate(name: &str, bytes: usize, repetitions: u32, mut act: impl FnMut()) {
    act();
    let mut best = f64::MAX;
    for _ in 0..25 {
        let begun = Instant::now();
        (0..repetitions).for_each(|_| act());
        best = best.min(begun.elapsed().as_secs_f64() / f64::from(repetitions));
    }
    println!("{name:<12} {:>10.1} µs {:>8.0} MB/s", best * 1e6, bytes as f64 / best / 1e6);
}

/// `micro --file PAGE --extra quickxml,roxmltree`, or the hashes.
pub(crate) fn run(args: &Args) {
    if args.file.is_empty() {
        let block = vec![7; BLOCK];
        for hash in ["sha256", "md5", "crc32", "crc64"] {
            rate(hash, BLOCK, 1, || Sum::new(hash).update(&block));
        }
        rate("memcpy", BLOCK, 4, || {
            black_box(block.clone());
        });
        return;
    }
    let page = ok(std::fs::read(&args.file));
    for parser in args.extra.split(',') {
        rate(parser, page.len(), 3, || {
            black_box(parse::count(parser, &page));
        });
    }
}
