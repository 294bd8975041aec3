/// The page's own style: no font, no image, no script.
enum PageStyle {
    static let css: StaticString = """
        :root{color-scheme:light dark;--bg:#f3f5f8;--card:#fff;--line:#d5dbe3;--text:#1a2029;\
        --muted:#56606d;--good:#0b6b34;--warn:#8a4b00;--bad:#b3132a;--info:#0b5cad;--goodbg:#e3f4ea;\
        --warnbg:#fdf0db;--badbg:#fce6e8;--infobg:#e4effb}
        @media (prefers-color-scheme:dark){:root{--bg:#0f141a;--card:#182029;--line:#2f3a46;\
        --text:#e8edf3;--muted:#a3aebb;--good:#5fd38d;--warn:#f0b458;--bad:#ff8a8f;--info:#7cb8ff;\
        --goodbg:#12301f;--warnbg:#36270d;--badbg:#3b171b;--infobg:#132a44}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,sans-serif;\
        overflow-wrap:anywhere}
        a{color:var(--info)}a:focus-visible{outline:3px solid var(--info);outline-offset:2px}
        .skip{position:absolute;left:-99em}.skip:focus{left:1em;top:1em;background:var(--card);padding:.5em}
        header,main,footer{max-width:74rem;margin:0 auto;padding:0 1rem}
        header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;padding-top:1.25rem}
        h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:0 0 .5rem}h3{font-size:1rem;margin:0}
        .muted,footer,.unit{color:var(--muted);font-size:.9rem}
        .pill{font-weight:650;border-radius:99px;padding:.1rem .75rem}
        .good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
        .pill.good{background:var(--goodbg)}.pill.warn{background:var(--warnbg)}.pill.bad{background:var(--badbg)}
        .grid{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));margin:1rem 0}
        .wide{grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr))}
        .card,.tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1rem}
        .tile{border-left:6px solid var(--muted);list-style:none}
        .tile.good{border-left-color:var(--good)}.tile.warn{border-left-color:var(--warn)}\
        .tile.bad{border-left-color:var(--bad)}
        .tile strong{display:block;font-size:1.2rem}.tile span{color:var(--text)}
        ul.grid{padding:0}
        .problems{border-left:6px solid var(--warn)}.problems.bad{border-left-color:var(--bad);color:var(--text)}
        .problems ul{margin:0;padding-left:1.2rem}
        .row{display:flex;flex-wrap:wrap;gap:0 1rem;justify-content:space-between;align-items:baseline}
        svg{display:block;width:100%;height:84px;margin:.5rem 0 0}
        .rtt{fill:none;stroke:var(--info);stroke-width:2;vector-effect:non-scaling-stroke}
        .loss{fill:var(--bad);opacity:.75}.carry{fill:var(--good)}.base{stroke:var(--line);vector-effect:non-scaling-stroke}
        .axis{display:flex;justify-content:space-between;color:var(--muted);font-size:.8rem}
        .key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.3em}
        .k1{background:var(--info)}.k2{background:var(--bad)}.k3{background:var(--good)}
        table{border-collapse:collapse;width:100%}
        th,td{text-align:left;padding:.3rem .5rem .3rem 0;border-top:1px solid var(--line);vertical-align:top;\
        font-weight:400}
        thead th{color:var(--muted);font-size:.85rem;border-top:0;white-space:nowrap}th[scope=row]{min-width:5rem}td.n{text-align:right;white-space:nowrap}
        meter{width:100%;height:1rem}
        dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem;margin:0}dt{color:var(--muted)}dd{margin:0}
        time{white-space:nowrap;color:var(--muted)}
        footer{padding:1rem 1rem 2rem}
        """
}
