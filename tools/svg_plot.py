"""svg_plot.py - small line plots as SVG, by hand.

The horizontal axis is logarithmic, and the vertical one too if asked for. A plot has
a white ground of its own, so that it can be read on any page.
"""
import math
from html import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 78, 150, 40, 48
COLOURS = ['#1f5fa8', '#c2501c', '#2f8f3a', '#8040a0', '#777777']


def short_number(value):
    for factor, letter in ((1_000_000_000, 'G'), (1_000_000, 'M'), (1000, 'k')):
        if value >= factor:
            return f'{value / factor:g}{letter}'
    return f'{value:g}'


def size_name(value):
    for factor, name in ((1 << 30, 'GiB'), (1 << 20, 'MiB'), (1 << 10, 'KiB')):
        if value >= factor:
            return f'{value // factor} {name}'
    return f'{value} B'


class Plot:
    """`series`: name -> [(x, y)], sorted by x; drawn in the order of the dictionary."""

    def __init__(self, title, x_label, y_label, series, log_y=False, x_name=short_number):
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.series = {name: points for name, points in series.items() if points}
        self.log_y, self.x_name = log_y, x_name
        xs = [x for points in self.series.values() for x, _ in points]
        ys = [y for points in self.series.values() for _, y in points]
        self.x_values = sorted(set(xs))
        self.x_low, self.x_high = math.log(min(xs)), math.log(max(xs))
        self.y_ticks = self.decades(ys) if log_y else self.steps(max(ys))

    @staticmethod
    def decades(ys):
        low = math.floor(math.log10(max(1, min(ys))))
        high = max(low + 1, math.ceil(math.log10(max(ys))))
        return [10 ** power for power in range(low, high + 1)]

    @staticmethod
    def steps(high):
        """From 0, in about five steps of 1, 2 or 5 times a power of ten."""
        raw = max(high, 1e-9) * 1.1 / 5
        power = 10 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
        return [step * i for i in range(max(1, math.ceil(high * 1.05 / step)) + 1)]

    def x_at(self, x):
        share = (math.log(x) - self.x_low) / ((self.x_high - self.x_low) or 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y_at(self, y):
        low, high = self.y_ticks[0], self.y_ticks[-1]
        if self.log_y:
            y, low, high = (math.log(max(value, self.y_ticks[0])) for value in (y, low, high))
        return HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    @staticmethod
    def text(x, y, text, anchor='middle', more=''):
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'

    def axes(self):
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        for tick in self.y_ticks:
            y = self.y_at(tick)
            yield f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#dddddd"/>'
            yield self.text(LEFT - 6, y + 4, short_number(tick), 'end')
        for x in self.x_values:
            yield f'<path d="M{self.x_at(x):.1f} {bottom}v5" stroke="#444444"/>'
            yield self.text(self.x_at(x), bottom + 18, self.x_name(x))
        yield f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#444444"/>'
        yield self.text((LEFT + right) / 2, HEIGHT - 8, self.x_label)
        yield self.text(LEFT / 4, (TOP + bottom) / 2, self.y_label,
                        more=f' transform="rotate(-90 {LEFT / 4:.1f} {(TOP + bottom) / 2:.1f})"')
        yield self.text(LEFT, 22, self.title, 'start', ' font-weight="bold" font-size="14"')

    def label_places(self):
        """Where each curve's name stands: at its end, but no two on each other."""
        ends = sorted((self.y_at(points[-1][1]), name) for name, points in self.series.items())
        places, last = {}, -100.0
        for y, name in ends:
            last = max(y + 4, last + 14)
            places[name] = last
        return places

    def curves(self):
        places = self.label_places()
        for (name, points), colour in zip(self.series.items(), COLOURS):
            at = [(self.x_at(x), self.y_at(y)) for x, y in points]
            line = ' '.join(f'{x:.1f},{y:.1f}' for x, y in at)
            yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
            for x, y in at:
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            yield self.text(at[-1][0] + 8, places[name], name, 'start', f' fill="{colour}"')

    def svg(self):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">')
        ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        return '\n'.join([head, ground, *self.axes(), *self.curves(), '</svg>']) + '\n'
