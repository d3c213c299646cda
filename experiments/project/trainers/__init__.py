"""Programs that train, and what is known of them: their command line, the style of their arguments, what they log.

`value` holds `Trainer` itself, `words` reads and writes arguments in each style, `template` fills a command line,
`known` has the trainers that come with this package.
"""
