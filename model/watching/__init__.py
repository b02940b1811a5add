"""What watches the stack: the alarms, whom they tell, and the dashboard."""
