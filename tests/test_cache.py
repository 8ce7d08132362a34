"""What is remembered goes by objects that are held: another one never takes the place of one that is gone."""

import threading
import weakref

import numpy as np

from em_cli.engine.cache import MOST_KEPT, RECENT_FLOATS, Cache, FeatureCache, Recent


class Key:
    pass


def test_a_key_lives_as_long_as_its_value():
    cache, ids = Cache[int](), set()
    for number in range(1000):  # were they not held, places in memory would be used again
        key = Key()
        assert cache.of(key) is None
        cache.keep(key, number)
        ids.add(id(key))
    assert len(ids) == 1000


def test_the_oldest_are_forgotten():
    keys = [Key() for _ in range(4)]
    by_number, by_size = Cache[str](most=2), Cache[str](floats=10)
    for key, size in zip(keys, (3, 3, 3, 6), strict=True):
        by_number.keep(key, "a", size)
        by_size.keep(key, "a", size)
    assert [by_number.of(key) for key in keys] == [None, None, "a", "a"]
    assert [by_size.of(key) for key in keys] == [None, None, "a", "a"]


def test_features_of_one_family_are_no_others():
    cache, one, other = FeatureCache(), Key(), Key()
    cache.features(one)[1, 0, 0] = np.ones(1)
    assert list(cache.features(one)) == [(1, 0, 0)] and cache.features(other) == {}


def test_the_features_of_all_families_together_are_bounded():
    cache, keys = FeatureCache(), [Key() for _ in range(5)]
    for key in keys:
        cache.features(key, MOST_KEPT[0])[1, 0, 0] = np.ones(1)
    assert [len(cache.features(key)) for key in reversed(keys)] == [1, 1, 1, 1, 0]


def test_what_was_computed_goes_with_the_parameters():
    recent, key = Recent[str](), Key()
    recent.keep(key, "mine", 1)
    gone = weakref.ref(key)
    del key
    assert gone() is None and not recent._kept
    keys = [Key() for _ in range(3)]
    for key in keys:
        recent.keep(key, "a", RECENT_FLOATS // 2)
    assert [recent.of(key) for key in keys] == [None, "a", "a"]


def test_each_thread_remembers_for_itself():
    recent, key, found = Recent[str](), Key(), []
    recent.keep(key, "mine", 1)
    thread = threading.Thread(target=lambda: found.append((recent.of(key), recent.keep(key, "its", 1))))
    thread.start()
    thread.join()
    assert found == [(None, "its")] and recent.of(key) == "mine"


def test_sums_under_weights_are_those_of_these_weights():
    cache, family = FeatureCache(), Key()
    held = [np.full(5, value) for value in (1.0, 2.0, 3.0)]
    cache.keep_common_sums(family, held, np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]))

    def first(weights):
        sums = cache.common_sums(family, weights)
        return None if sums is None else sums[:, 0].tolist()

    assert first(held) == first(held) == [1.0, 2.0, 3.0] and first(held[::-1]) == [3.0, 2.0, 1.0]
    assert first([held[0], np.ones(5)]) is None and first(held) == [1.0, 2.0, 3.0]
    ids = [*map(id, held)]
    for number in range(100):  # new weights where the old ones were: their sums are not those of the old
        held.clear()
        held += [np.full(5, float(number)) for _ in ids]
        assert first(held) is None
        cache.keep_common_sums(family, held, np.full((3, 1), float(number)))
        assert first(held) == [number] * 3
