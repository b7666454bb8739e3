/** For light and dark; without fonts or pictures, as nothing is fetched from elsewhere. */
export const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c2330, #e6e9ef); --soft: light-dark(#667085, #98a2b3); --line: light-dark(#e4e7ec, #2b3442);
  --ground: light-dark(#f8f9fb, #11161d); --sheet: light-dark(#ffffff, #181f29); --good: light-dark(#0e8a5f, #3ccf91); --held: light-dark(#b7791f, #e3b341);
  --bad: light-dark(#c0362c, #ff7b72); --mark: light-dark(#2f6fde, #6ea8fe); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main, header { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; padding-top: 1.5rem; }
h1 { font-size: 1.35rem; margin: 0; } h1 + span { color: var(--soft); }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
nav { margin-left: auto; display: flex; gap: .25rem; }
nav a { padding: .15rem .6rem; border-radius: 1rem; color: var(--soft); text-decoration: none; }
nav a[aria-current] { background: var(--mark); color: var(--sheet); }
section { background: var(--sheet); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem; margin: 1rem 0; overflow-x: auto; }
.told { border-left: .3rem solid var(--held); } .told.bad { border-left-color: var(--bad); } .told p { margin: .15rem 0; overflow-wrap: anywhere; }
dl.sums { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; margin: 0; }
dl.sums dt { color: var(--soft); font-size: .85rem; } dl.sums dd { margin: 0; font-size: 1.45rem; font-variant-numeric: tabular-nums; }
dl.sums small { color: var(--soft); font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: .85rem; border-bottom: 1px solid var(--line); }
th, td { padding: .3rem .75rem .3rem 0; vertical-align: top; } td { overflow-wrap: break-word; max-width: 28rem; }
td.figure, th.figure { text-align: right; white-space: nowrap; }
tbody tr + tr td { border-top: 1px solid var(--line); }
svg.bar { width: 8rem; height: .6rem; vertical-align: middle; } svg.days { width: 100%; height: 5rem; }
.ground { fill: var(--line); } .posted { fill: var(--good); } .posted.near { fill: var(--held); } .posted.full { fill: var(--bad); }
.pending { fill: var(--held); opacity: .6; } .day { fill: var(--mark); }
.yes { color: var(--good); } .no { color: var(--bad); } .soft { color: var(--soft); }
footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem 2rem; color: var(--soft); font-size: .85rem; }
`;
