
app_name = "accueil"

urlpatterns = []
