"""The cost model and the simulation of arrivals."""

import datetime

import pytest

from infra.cost import __main__ as page
from infra.cost import model, simulate
from infra.cost.simulate import Simulation, Station, Wait


def test_every_price_says_when_and_where_it_was_seen():
    """A figure without a date and a source cannot be checked; a guess is called one."""
    for name, price in model.prices().items():
        assert price["kind"] in ("published", "assumed"), name
        assert isinstance(price["seen"], datetime.date), name
        assert "https://" in price["source"], name
        assert price["price"] > 0, name
        assert price["free"] >= 0, name


def test_what_is_free_costs_nothing_and_the_rest_its_price():
    """Free amounts are taken off once."""
    assert model.dollars("tasks_operations", 1_000_000) == 0
    assert model.dollars("tasks_operations", 3_500_000) == pytest.approx(1.0)


def test_a_month_grows_with_its_clients_and_a_client_gets_cheaper():
    """More clients never cost less in total, nor more each."""
    totals = {clients: sum(model.monthly(clients).values()) for clients in (20, 200, 2_000)}
    assert sorted(totals.values()) == list(totals.values())
    each = [total / clients for clients, total in totals.items()]
    assert sorted(each, reverse=True) == each


def test_the_database_is_priced_by_hand():
    """Two vCPU, 16 GB, two copies, 50 GB of disk: reckoned once without the model."""
    by_hand = 2 * (2 * 0.0537 * 730 + 16 * 0.0091 * 730 + 50 * 0.17) + 75 * 0.08
    assert model.database_cost({"vcpu": 2, "memory_gb": 16}, disk_gb=50) == pytest.approx(by_hand)


def test_idle_costs_what_stands_still():
    """Nobody comes: the database is nearly all of it."""
    assert 40 < model.idle()["dev"] < 80
    assert model.idle()["prod"] > model.idle()["dev"]


def test_limits_are_met_in_order_of_their_share():
    """The first of the list is the first to run out, and every share grows with the clients."""
    few, many = model.limits(20), model.limits(200)
    assert [limit.share for limit in few] == sorted((limit.share for limit in few), reverse=True)
    shares = {limit.name: limit.share for limit in few}
    assert all(limit.share >= shares[limit.name] for limit in many)


class Clock(Simulation):
    """A simulation in which only what a test starts happens."""

    def __init__(self):
        super().__init__(20)

    def until_done(self):
        while self._events:
            self.now, _, act = simulate.heapq.heappop(self._events)
            act()


def held(clock, station, seconds):
    def steps(flow):
        yield Wait(station)
        yield seconds
        clock.leave(station)

    return steps


def test_two_places_serve_two_at_a_time():
    """Five that take a second each leave after 1, 1, 2, 2 and 3 seconds."""
    clock, station = Clock(), Station("desk", 2)
    for _ in range(5):
        clock.start("visit", held(clock, station, 1.0))
    clock.until_done()
    assert sorted(clock.flows["visit"].durations) == [1, 1, 2, 2, 3]
    assert clock.flows["visit"].lost == {"desk": 1 + 1 + 2}
    assert station.taken == 0


def test_a_rate_admits_so_many_a_second():
    """However many places there are, the sixth of a rate of two a second enters after two and a half seconds."""
    clock, station = Clock(), Station("quota", 100, per_second=2)
    for _ in range(6):
        clock.start("call", held(clock, station, 0.0))
    clock.until_done()
    assert sorted(clock.flows["call"].durations) == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])


def test_an_instance_is_started_when_the_others_are_full_and_goes_after_a_quarter_of_an_hour():
    """One instance serves so many at a time; unused it is gone, and the next request starts one again."""
    service = simulate.Service(Station("f", 100), concurrency=2)
    colds = []
    for now, taken in ((0, 1), (1, 2), (2, 3), (3, 3), (2000, 1)):
        service.station.taken = taken
        colds.append(service.cold(now))
    assert colds == [True, False, True, False, True]


def test_everybody_who_arrives_gets_through():
    """No place is lost, no queue forgotten: at the end every station is empty."""
    simulation = Simulation(200)
    flows = simulation.play()
    stations = [simulation.database, simulation.vertex, simulation.ctm, *simulation.queues.values()]
    stations += [service.station for service in simulation._services.values()]
    assert [(one.name, one.taken, len(one.queue)) for one in stations if one.taken or one.queue] == []
    assert set(flows) == {"dashboard request", "form → mail sent", "mail", "mail event", "call → label"}


def test_the_same_seed_is_the_same_hour():
    """The page in docs can be checked for freshness."""
    first, second = (Simulation(20).play()["mail"].durations for _ in range(2))
    assert first == second


def test_a_tight_quota_is_named_as_what_time_is_lost_to():
    """The simulation finds the bottleneck that was put there."""
    simulation = Simulation(200)
    simulation.queues["emails"].per_second = 0.01
    where, share = simulation.play()["mail"].worst
    assert where == "queue emails"
    assert share > 0.9


def test_more_traffic_means_a_smaller_share_of_cold_starts():
    """Which is what the page says about few clients."""
    few, many = (Simulation(clients).play()["dashboard request"].worst for clients in (20, 2_000))
    assert few[0] == many[0] == "cold starts"
    assert few[1] > many[1]


def test_the_page_is_fresh():
    """docs/cost-and-scale.md says what the model says."""
    text = page.PAGE.read_text()
    assert page.written(text) == text
