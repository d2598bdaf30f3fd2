"""Les gestes de l’agrément, un module par famille. Chacun réussit en entier, ou ne change rien."""
