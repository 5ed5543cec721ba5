package dev.quern.pipeline.report;

/** The style of the report; no character of it needs escaping. */
final class HtmlStyle {
  static final String TEXT =
      """
      :root{--ground:#fbfaf7;--card:#ffffff;--ink:#1d2327;--soft:#59636b;--line:#dedad0;--accent:#9a5b13;--kept:#d9b98c;--warn:#8a1c1c;--warnground:#fbeeee;
      --s0:#fdf6ea;--s1:#f9e6c8;--s2:#f3d09c;--s3:#e9b56c;--s4:#d8933f;--s5:#b56f1f;--s6:#864c0c;--strong:#ffffff}
      @media (prefers-color-scheme:dark){:root{--ground:#16181a;--card:#1f2326;--ink:#ece8e0;--soft:#a9b0b5;--line:#363c40;--accent:#e0a458;--kept:#6f5431;--warn:#ffb4a8;--warnground:#3a2020;
      --s0:#24282a;--s1:#35302a;--s2:#4b3b27;--s3:#664a24;--s4:#875d22;--s5:#b07a2c;--s6:#e0a458;--strong:#16181a}}
      *{box-sizing:border-box}
      body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
      main{max-width:72rem;margin:0 auto;padding:2rem 1.25rem 3rem}
      .eyebrow{margin:0;color:var(--accent);font-weight:600;letter-spacing:.08em;text-transform:uppercase;font-size:.8rem}
      h1{margin:.1rem 0 .6rem;font-size:clamp(1.6rem,5vw,2.6rem);line-height:1.15;overflow-wrap:anywhere}
      h2{margin:0;font-size:1.25rem}
      .hint{margin:.15rem 0 .8rem;color:var(--soft)}
      .schemes{margin:0 0 1.2rem;display:flex;flex-wrap:wrap;gap:.5rem}
      .chip{border:1px solid var(--line);background:var(--card);border-radius:2rem;padding:.15rem .8rem}
      .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem;margin:0 0 1.2rem}
      .figures div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem}
      dt{color:var(--soft);font-size:.85rem}
      dd{margin:0}
      .value{font-size:1.5rem;font-weight:650;font-variant-numeric:tabular-nums;white-space:nowrap}
      .rest{color:var(--soft);font-size:.85rem}
      .bar{display:grid;grid-template-columns:3.5rem 1fr;gap:.1rem .6rem;align-items:center;margin:.35rem 0}
      .bar svg{width:100%;height:1.1rem;border-radius:.25rem;background:var(--line)}
      .full{fill:var(--accent)}.kept{fill:var(--kept)}
      .barname{color:var(--soft)}
      .barvalue{grid-column:2;font-size:.85rem;color:var(--soft)}
      section{margin-top:2.2rem}
      .scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
      table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
      th,td{padding:.4rem .8rem;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}
      thead th{border-top:0;color:var(--soft);font-weight:600;font-size:.85rem}
      th:first-child{text-align:left;font-weight:500}
      .heat td{text-align:center;padding:.25rem .5rem;min-width:3.6rem}
      .heat th{padding:.25rem .6rem}
      .heat tbody th{position:sticky;left:0;background:var(--card)}
      .heat thead th{text-align:center}
      .s0{background:var(--s0)}.s1{background:var(--s1)}.s2{background:var(--s2)}.s3{background:var(--s3)}.s4{background:var(--s4);color:#14100a}
      .s5{background:var(--s5);color:var(--strong)}.s6{background:var(--s6);color:var(--strong)}
      ul{margin:.8rem 0 0;padding-left:1.2rem}
      .warnings{background:var(--warnground);color:var(--warn);border-radius:.6rem;padding:.8rem 1rem .8rem 2rem}
      li{overflow-wrap:anywhere;margin:.2rem 0}
      summary{cursor:pointer;font-weight:600}
      pre{margin:0;padding:1rem;font-size:.85rem}
      footer{margin-top:2.5rem;color:var(--soft);font-size:.85rem}
      a{color:var(--accent)}
      :focus-visible{outline:3px solid var(--accent);outline-offset:2px}
      @media (max-width:30rem){main{padding:1.2rem .8rem 2rem}th,td{padding:.35rem .55rem}.figures{grid-template-columns:1fr 1fr}.value{font-size:1.2rem}}
      @media print{.scroll{overflow:visible}}
      """;

  private HtmlStyle() {}
}
