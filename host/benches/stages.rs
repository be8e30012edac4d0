//! How long each stage of a request takes that hooks see: `just bench-micro`.

mod subject;

use criterion::{Criterion, criterion_group, criterion_main};

fn stages(criterion: &mut Criterion) {
    for (name, make) in subject::STAGES {
        let mut stage = make();
        criterion.bench_function(name, |bencher| bencher.iter(&mut stage));
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
