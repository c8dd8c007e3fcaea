"""Writes net/ and demand.csv: a ring of 460 zones, one trip for each of 211,600 pairs."""

from pathlib import Path

n, p = 460, ""
Path("net").mkdir(exist_ok=True)
Path("net/node.csv").write_text(
    "node_id,x_coord,y_coord,zone_id\n" + "".join(f"{p}{i},{i},0,{p}{i}\n" for i in range(1, n + 1)),
    encoding="utf-8",
)
Path("net/link.csv").write_text(
    "link_id,from_node_id,to_node_id,directed,length,free_speed,capacity,lanes\n"
    + "".join(f"f{i},{p}{i},{p}{i % n + 1},1,1,50,9999999,1\n" for i in range(1, n + 1)),
    encoding="utf-8",
)
Path("demand.csv").write_text(
    "o_zone_id,d_zone_id,volume\n"
    + "".join(f"{p}{i},{p}{j},1\n" for i in range(1, n + 1) for j in range(1, n + 1)),
    encoding="utf-8",
)
