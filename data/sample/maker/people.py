"""つくりものの市民と、その番号。電話は割り当てのない番号、メールは例示用のドメインだけ。"""

from __future__ import annotations

import random

from .material import Material
from .models import Person
from .settings import AGE_WEIGHTS, AGES, N_PERSONS


class People:
    """市民の名簿。"""

    def __init__(self, material: Material, rng: random.Random) -> None:
        self.material = material
        self.rng = rng
        self.all = [self._person() for _ in range(N_PERSONS)]
        self.by_district = {d: [p for p in self.all if p.district == d] for d in material.districts}

    def district(self) -> str:
        """人口に合わせて地区をひとつ選ぶ。"""
        return self.rng.choices(self.material.districts, self.material.district_weights)[0]

    def resident(self, district: str) -> Person:
        """その地区の人をひとり選ぶ。"""
        return self.rng.choice(self.by_district[district])

    def _person(self) -> Person:
        rng = self.rng
        names = self.material.names
        surname, roman = rng.choice(names["surnames"])
        sex = rng.choice(["女性", "男性"])
        given, given_roman = rng.choice(names["women" if sex == "女性" else "men"])
        district = self.district()
        user = rng.choice(
            [
                f"{given_roman}.{roman}",
                f"{roman}{rng.randint(1, 99)}",
                f"{given_roman}_{roman[0]}",
                f"{roman}-{given_roman}",
                f"{given_roman}{rng.randint(1950, 2006)}",
            ]
        )
        domain = rng.choice(["example.jp", "example.com", "example.org", "mail.example.jp"])
        address, phone = self.block(district), self.phone()
        age = rng.choices(AGES, AGE_WEIGHTS)[0]
        return Person(surname, given, roman, district, address, phone, f"{user}@{domain}", age, sex)

    def block(self, district: str) -> str:
        """番地までの住所。"""
        rng = self.rng
        town = rng.choice(self.material.towns[district])
        a, b = rng.randint(1, 28), rng.randint(1, 19)
        return rng.choice(
            [
                f"{town}{a}-{b}",
                f"{town}{a}番{b}号",
                f"{town}{a}番地",
                f"{town}{a}番地{b}",
                f"潮見市{town}{a}-{b}",
                f"潮見市{town}{a}番{b}号",
            ]
        )

    def phone(self) -> str:
        """割り当てのない電話番号。"""
        tail = self.rng.randint(0, 9999)
        return self.rng.choice(
            [
                f"0190-55-{tail:04d}",
                f"0190-55-{tail:04d}",
                f"090-0000-{tail:04d}",
                f"090-0000-{tail:04d}",
                f"0900000{tail:04d}",
                f"0190（55）{tail:04d}",
            ]
        )

    def birthday(self) -> str:
        """大人の生年月日。"""
        rng = self.rng
        year = max(rng.randint(1, 63), 3)
        month, day = rng.randint(1, 12), rng.randint(1, 28)
        shown = f"{1925 + year}年" if rng.random() < 0.2 else f"昭和{year}年"
        return f"{shown}{month}月{day}日"

    def child_birthday(self) -> str:
        """子どもの生年月日。"""
        rng = self.rng
        return f"令和{rng.randint(1, 5)}年{rng.randint(1, 12)}月{rng.randint(1, 28)}日"

    def plate(self) -> str:
        """車のナンバー。"""
        rng = self.rng
        kana = rng.choice("さすせたなはまら")
        digits = f"{rng.randint(10, 99)}-{rng.randint(10, 99)}"
        return f"潮見{rng.choice([330, 500, 580])}{kana}{digits}"

    def member_number(self) -> str:
        """利用者カードなどの番号。"""
        rng = self.rng
        return rng.choice([f"L{rng.randint(10000, 99999)}", f"S-{rng.randint(100000, 999999)}", f"{rng.randint(1000000, 9999999)}"])

    def my_number(self) -> str:
        """検査数字をわざと外した12桁(だれの番号でもない)。"""
        digits = [self.rng.randint(0, 9) for _ in range(11)]
        weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]
        rest = sum(d * w for d, w in zip(digits, weights, strict=True)) % 11
        check = 0 if rest <= 1 else 11 - rest
        return "".join(map(str, digits)) + str((check + 3) % 10)
