//! One connection of a scripted server.

use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use super::{Recorded, Script, State, Step, describes};
use crate::wire::{Head, Stream, Wire};

/// Does what the rules say for each request, until either side ends.
pub(super) async fn serve(stream: Stream, number: usize, state: Arc<State>) {
    let mut connection = Connection { wire: Wire::new(stream), state, index: 0 };
    while let Ok(Some(head)) = connection.wire.head().await {
        let script = connection.state.script_for(&head);
        connection.index =
            connection.state.record(Recorded { connection: number, head, ..Recorded::default() });
        match connection.perform(script).await {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) | Err(_) => return,
        }
    }
}

struct Connection {
    wire: Wire,
    state: Arc<State>,
    /// Where the request that is being answered stands among all.
    index: usize,
}

impl Connection {
    async fn perform(&mut self, script: Script) -> io::Result<ControlFlow<()>> {
        let mut steps = script.0;
        steps.reverse();
        while let Some(step) = steps.pop() {
            match step {
                Step::ReadBody => self.read_body().await?,
                Step::Send(bytes) => self.wire.send(&bytes).await?,
                Step::Repeat(bytes) => while self.wire.send(&bytes).await.is_ok() {},
                Step::Wait(gate) => gate.passed().await,
                Step::Compute(of) => steps.extend(of(&self.request()).0.into_iter().rev()),
                Step::UntilEnd => self.take_the_rest(false).await?,
                Step::Echo => {
                    self.take_the_rest(true).await?;
                    return Ok(ControlFlow::Break(()));
                }
                Step::Listen => {
                    self.take_the_rest(false).await?;
                    return Ok(ControlFlow::Break(()));
                }
                Step::Close => return Ok(ControlFlow::Break(())),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn read_body(&mut self) -> io::Result<()> {
        let request = self.request();
        if request.is_whole {
            return Ok(());
        }
        let body = self.wire.body(&request.head, false).await?;
        self.update(|request| {
            request.body = body;
            request.is_whole = true;
        });
        Ok(())
    }

    async fn take_the_rest(&mut self, echo: bool) -> io::Result<()> {
        loop {
            let bytes = self.wire.some().await.unwrap_or_default();
            self.update(|request| {
                request.is_over = bytes.is_empty();
                request.after.extend(&bytes);
            });
            if bytes.is_empty() {
                return Ok(());
            }
            if echo {
                self.wire.send(&bytes).await?;
            }
        }
    }

    fn request(&self) -> Recorded {
        self.state.requests.borrow()[self.index].clone()
    }

    fn update(&self, change: impl FnOnce(&mut Recorded)) {
        self.state.requests.send_modify(|requests| change(&mut requests[self.index]));
    }
}

impl State {
    fn script_for(&self, head: &Head) -> Script {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter().rev().find(|(call, _)| describes(call, head));
        match rule {
            Some((_, script)) => script.clone(),
            None => Script::json(404, &serde_json::json!({"message": "page not found"})),
        }
    }

    fn record(&self, request: Recorded) -> usize {
        let mut index = 0;
        self.requests.send_modify(|requests| {
            index = requests.len();
            requests.push(request);
        });
        index
    }
}
