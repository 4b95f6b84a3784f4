//! The metrics of usage as Envoy's: each is defined when its first attempt is over.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;

use super::abi::{self, MetricKind};
use crate::gateway::Gateway;
use crate::health::model_labels::ModelLabels;
use crate::host::metrics::usage::{SERIES, is_counter, names, values};
use crate::host::store::Store;
use crate::usage::{Operation, Settlement};

/// Of a provider, a model's label and an operation.
type Of = (usize, String, Operation);

#[derive(Debug)]
pub(super) struct UsageMetrics {
    gateway: Rc<Gateway>,
    labels: RefCell<ModelLabels>,
    /// The numbers that Envoy gave the series.
    ids: RefCell<HashMap<Of, [Option<u32>; SERIES]>>,
}

impl UsageMetrics {
    pub(super) fn new(gateway: &Rc<Gateway>) -> Self {
        Self { gateway: Rc::clone(gateway), labels: RefCell::default(), ids: RefCell::default() }
    }

    /// Counts an attempt that is over.
    pub(super) fn record(
        &self,
        store: &dyn Store,
        now_ms: u64,
        settlement: &Settlement,
        is_stream: bool,
    ) {
        let values = values(settlement, is_stream);
        if values.iter().all(Option::is_none) {
            return;
        }
        let admission = &settlement.admission;
        let own =
            |id: &_| self.gateway.provider(*id).is_some_and(|own| own.name == admission.provider);
        let Some(id) = self.gateway.ids().find(own) else { return };
        let model = &admission.model;
        let label = self.labels.borrow_mut().label(store, &self.gateway, id, model, now_ms);
        let mut ids = self.ids.borrow_mut();
        let of = (id.index(), label, admission.operation);
        let ids = ids.entry(of).or_insert_with_key(|(_, label, operation)| {
            define(&names(&admission.provider, label, *operation))
        });
        for (series, (id, value)) in ids.iter().zip(values).enumerate() {
            match (id, value) {
                (Some(id), Some(value)) if is_counter(series) => abi::increment_metric(*id, value),
                (Some(id), Some(value)) => abi::record_metric(*id, value),
                _ => {}
            }
        }
    }
}

fn define(names: &[String; SERIES]) -> [Option<u32>; SERIES] {
    let mut ids = [None; SERIES];
    for (series, (id, name)) in ids.iter_mut().zip(names).enumerate() {
        let kind = if is_counter(series) { MetricKind::Counter } else { MetricKind::Histogram };
        *id = abi::define_metric(kind, name);
    }
    ids
}
