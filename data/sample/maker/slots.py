"""材料の {slot} の中身。個人情報のスロットは、表記と種類をあわせて返す。"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from .material import Material
from .models import Person, Scene
from .people import People


class Slots:
    """スロットの名から中身を決める。"""

    def __init__(self, material: Material, people: People, rng: random.Random) -> None:
        self.material = material
        self.people = people
        self.rng = rng
        self._plain: dict[str, Callable[[Scene], str]] = {
            "district": lambda scene: scene.district,
            "month": lambda scene: f"{scene.day.month}月",
            "age": self._age,
            "n": lambda _: str(rng.randint(2, 9)),
            "nn": lambda _: str(rng.choice([10, 12, 15, 20, 25, 30, 40, 50])),
            "dept": lambda scene: str(scene.department["name"]),
            "ext": lambda scene: str(scene.department["phone_ext"]),
            "later": self._later,
            "done": self._done,
        }
        self._private: dict[str, tuple[str, Callable[[Scene], str]]] = {
            "name": ("NAME", lambda scene: self._name(scene.person, full=0.62)),
            "fullname": ("NAME", lambda scene: scene.person.full),
            "staff": ("NAME", lambda _: str(rng.choice(material.names["surnames"])[0])),
            "other": ("NAME", lambda _: self._name(rng.choice(people.all), full=0.4)),
            "addr": ("ADDRESS", lambda scene: scene.person.address),
            "otheraddr": ("ADDRESS", lambda scene: people.block(scene.district)),
            "phone": ("PHONE", lambda scene: scene.person.phone),
            "email": ("EMAIL", lambda scene: scene.person.email),
            "zip": ("POSTAL_CODE", lambda _: f"〒000-{rng.randint(0, 9999):04d}"),
            "birth": ("BIRTHDATE", lambda _: people.birthday()),
            "childbirth": ("BIRTHDATE", lambda _: people.child_birthday()),
            "plate": ("PLATE", lambda _: people.plate()),
            "member": ("OTHER_ID", lambda _: people.member_number()),
            "insured": ("OTHER_ID", lambda _: f"潮国{rng.randint(100000, 999999)}"),
            "account": ("ACCOUNT", lambda _: f"普通 {rng.randint(0, 9999999):07d}"),
            "mynumber": ("MY_NUMBER", lambda _: people.my_number()),
            "url": ("URL_ID", lambda scene: f"https://sns.example.com/{scene.person.roman}{rng.randint(10, 99)}"),
        }

    def phrase(self, name: str, district: str) -> str | None:
        """材料にある言いまわし(町名、施設、時期など)。なければ None。"""
        material = self.material
        places = material.places
        pools = ({"town": material.towns[district]}, places["by_district"][district], places["city"], material.frames["slots"])
        for pool in pools:
            if name in pool:
                return str(self.rng.choice(pool[name]))
        return None

    def plain(self, name: str, scene: Scene) -> str | None:
        """個人情報でないスロット。"""
        rule = self._plain.get(name)
        return rule(scene) if rule else None

    def private(self, name: str, scene: Scene) -> tuple[str, str]:
        """個人情報のスロットの (表記, 種類)。"""
        kind, rule = self._private[name]
        return rule(scene), kind

    def _name(self, person: Person, *, full: float) -> str:
        return person.full if self.rng.random() < full else person.surname

    def _age(self, _: Scene) -> str:
        low, high = (70, 91) if self.rng.random() < 0.5 else (25, 69)
        return f"{self.rng.randint(low, high)}歳"

    def _later(self, scene: Scene) -> str:
        later = scene.day + timedelta(days=self.rng.randint(40, 150))
        return f"令和{later.year - 2018}年{later.month}月"

    def _done(self, scene: Scene) -> str:
        done = scene.day + timedelta(days=self.rng.randint(1, 4))
        return f"{done.month}月{done.day}日"
