"""One evaluation of a training, as a line of text."""

from __future__ import annotations


def figures_line(row: dict[str, float]) -> str:
    """Updates, minutes, return, and the robot's other figures."""
    reached = ""
    if "mean_velocity_error_mps" in row:
        reached = f"success {row['success']:.2f}   falls {row['falls']:.2f}   "
        reached += f"off by {row['mean_velocity_error_mps']:.2f} m/s, "
        reached += f"{row['mean_yaw_rate_error_radps']:.2f} rad/s   "
    elif "success" in row:
        reached = f"success {row['success']:.2f}   "
        reached += f"median error {row['median_final_error_m']:.3f} m   "
    values = f"Q {row['actor_q']:.1f}"
    if "f_norm" in row:
        values += f"   |F| {row['f_norm']:.1f}"
    return (
        f"{row['update']:8.0f} updates {row['minutes']:6.1f} min   "
        f"return {row['mean_return']:6.1f}   {reached}{values}"
    )
