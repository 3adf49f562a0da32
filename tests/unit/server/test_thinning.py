from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from lupus_provider.server.thinning import thin

values = arrays(
    np.float64,
    st.integers(0, 400),
    elements=st.floats(-1e9, 1e9) | st.just(float("nan")),
    fill=st.just(1.0),
)


@given(values, st.integers(10, 120), st.data())
def test_what_matters_survives_and_the_rest_fits(value, max_points, data):
    n = len(value)
    keep = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=5))) if n else [], np.intp)
    kept = thin(value, max_points, keep)
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= max_points + len(keep)
    assert set(keep.tolist()) <= set(kept.tolist())
    if n:
        assert (kept[0], kept[-1]) == (0, n - 1)
    if n and not np.isnan(value).all():
        assert np.nanmin(value[kept]) == np.nanmin(value)
        assert np.nanmax(value[kept]) == np.nanmax(value)
    assert bool(np.isnan(value).any()) == bool(np.isnan(value[kept]).any())


def test_what_fits_is_untouched():
    assert thin(np.arange(10.0), 10, np.array([], np.intp)).tolist() == list(range(10))


def test_every_part_of_a_long_series_keeps_its_spike():
    value = np.zeros(8_760)
    spikes = np.arange(100, 8_760, 500)
    value[spikes] = np.where(np.arange(len(spikes)) % 2, 5.0, -5.0)
    assert set(spikes.tolist()) <= set(thin(value, 300, np.array([], np.intp)).tolist())


def test_a_gap_in_a_long_series_stays_visible_where_it_is():
    value = np.sin(np.arange(1_000.0))
    value[400:420] = np.nan
    kept = thin(value, 60, np.array([], np.intp))
    gaps = kept[np.isnan(value[kept])]
    assert len(gaps) >= 1
    assert ((gaps >= 400) & (gaps < 420)).all()
